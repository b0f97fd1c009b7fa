export async function setup(): Promise<void> {
  console.log("halftone setup");
}
