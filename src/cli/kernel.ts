/** What a kernelspec starts too, under the command's own name. */
export async function kernel(connectionFile: string): Promise<void> {
  const { main } = await import("../../kernel/main.ts");
  await main(connectionFile);
}
