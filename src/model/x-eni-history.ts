/** Which addresses were X-ENIs before the eyes of this agent: EKS replaces them within days. */
import type { Address } from './address.ts';
import { distinct, holds, type Knowledge, knownXEnis, sliceHas, type XEni } from './route.ts';

export interface XEniHistory {
  readonly current: readonly XEni[];
  /** Were X-ENIs and no longer are, the last first. */
  readonly former: readonly Address[];
}

export const NO_X_ENIS: XEniHistory = { current: [], former: [] };

/** Far more than EKS replaces in a year, and a bound for a liar. */
const MAX_FORMER = 256;

/** Adds what is known at one look. An address leaves only where a source says so: silence takes nothing back. */
export function recordXEnis(before: XEniHistory, known: Knowledge): XEniHistory {
  const now = knownXEnis(known);
  const addresses = now.map(({ address }) => address);
  const gone = before.current.filter(({ address }) => !holds(addresses, address));
  const replaced = gone.filter((xEni) => isDenied(xEni, known)).map(({ address }) => address);
  return {
    current: [...now, ...gone.filter(({ address }) => !holds(replaced, address))],
    former: distinct([...replaced, ...before.former])
      .filter((address) => !holds(addresses, address))
      .slice(0, MAX_FORMER),
  };
}

/** Whether a source that would name it, or did, has an answer without it. */
function isDenied({ address, sources }: XEni, known: Knowledge): boolean {
  const leftTheSlice = known.slice !== null && sources.includes('endpointslice');
  return known.dns !== null || leftTheSlice || sliceHas(known, address.family);
}
