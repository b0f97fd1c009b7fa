/** `halftone kernel`: starts the kernel, as the kernelspec does. */
export async function kernel(connectionFile: string): Promise<void> {
  const { main } = await import("../../kernel/main.ts");
  await main(connectionFile);
}
