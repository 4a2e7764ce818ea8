/** Facts about the machine, for people: nothing is judged by them. What is unknown is null. */
export interface Machine {
  readonly kernel: string | null;
  readonly arch: string | null;
  readonly vendor: string | null;
  readonly model: string | null;
}

/** What firmware that was never filled in, and systeminformation, say where they know nothing; in lower case. */
const SAYS_NOTHING = new Set([
  '-',
  'computer',
  'default',
  'default string',
  // Of the container, not of the node.
  'docker container',
  'n/a',
  'none',
  'not applicable',
  'not specified',
  'o.e.m.',
  'system manufacturer',
  'system product name',
  'to be filled by o.e.m.',
  'unknown',
]);

/** The text without the blanks around it; null where it is no fact. */
export function factOf(text: string | null): string | null {
  const trimmed = text?.trim() ?? '';
  return trimmed === '' || SAYS_NOTHING.has(trimmed.toLowerCase()) ? null : trimmed;
}

/** What is known stays; what was told fills its gaps. */
export function fillGaps(known: Machine, told: Machine): Machine {
  return {
    kernel: known.kernel ?? told.kernel,
    arch: known.arch ?? told.arch,
    vendor: known.vendor ?? told.vendor,
    model: known.model ?? told.model,
  };
}
