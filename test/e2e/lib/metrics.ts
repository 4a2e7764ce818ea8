/** Prometheus' text format, as far as a test reads it. */

export class Metrics {
  readonly text: string;
  readonly #values = new Map<string, number>();

  constructor(text: string) {
    this.text = text;
    for (const line of text.split('\n')) {
      const [, name, labels, value] = /^([a-z_]+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
      if (name === undefined) continue;
      const pairs = (labels ?? '').matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g);
      this.#values.set(
        keyOf(
          name,
          Array.from(pairs, ([, label = '', text = '']) => [label, text]),
        ),
        Number(value),
      );
    }
  }

  /** The value of a series, its name without the prefix `eks_endpoint_`; undefined where it is absent. */
  get(name: string, labels: Readonly<Record<string, string>> = {}): number | undefined {
    return this.#values.get(keyOf(`eks_endpoint_${name}`, Object.entries(labels)));
  }

  /** The one label value at which a one-hot metric is 1; null where it is at none or at several. */
  oneHot(name: string, label: string): string | null {
    const hot = [...this.#values].filter(
      ([key, value]) => key.startsWith(`eks_endpoint_${name}{${label}=`) && value === 1,
    );
    const only = hot.length === 1 ? hot[0]?.[0] : undefined;
    return only === undefined ? null : (/"(.*)"/.exec(only)?.[1] ?? null);
  }
}

function keyOf(name: string, labels: readonly (readonly string[])[]): string {
  const written = labels.map(([label, value]) => `${label}="${value}"`).sort();
  return written.length === 0 ? name : `${name}{${written.join(',')}}`;
}
