export async function doctor(): Promise<void> {
  console.log("halftone doctor");
}
