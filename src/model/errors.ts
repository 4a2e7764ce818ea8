/** What was thrown, as one sentence: anything can be thrown, and an Error's own text is one. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
