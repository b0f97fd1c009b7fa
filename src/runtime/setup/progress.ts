/** Hears what goes on: one line a step, and between them how far a long step is (0 to 1). */
export interface Progress {
  step(line: string): void;
  share(done: number): void;
}
