/** Where a fleet's answers come from. */
import type { FleetObservation } from '../model/fleet/observation.ts';

export interface FleetSource {
  /**
   * Asks for all nodes once. Rejects with an Error whose message is one whole sentence (what was wrong, where, what would do)
   * where nothing can be told of any node; what goes wrong with a single node is in the observation.
   */
  observe(options: ObserveOptions): Promise<FleetObservation>;
  /** Ends its connections. */
  close(): void;
}

export interface ObserveOptions {
  /** Aborted: what is under way is given up, and `observe` rejects. */
  readonly signal: AbortSignal;
  /** Called as it goes on, where it takes long. */
  readonly onProgress: (done: number, total: number) => void;
}

export type FleetTarget = PrometheusTarget | KubernetesTarget | AgentsTarget;

export interface PrometheusTarget {
  readonly kind: 'prometheus';
  /** With a path prefix where there is one, without the last slash. */
  readonly url: string;
  /** Of every series that is asked for. */
  readonly matchers: readonly LabelMatcher[];
  readonly bearerTokenFile: string | null;
  readonly username: string | null;
  readonly passwordFile: string | null;
  readonly caFile: string | null;
  readonly certFile: string | null;
  readonly keyFile: string | null;
}

/** As in PromQL. */
export interface LabelMatcher {
  readonly name: string;
  readonly op: '=' | '!=' | '=~' | '!~';
  readonly value: string;
}

export interface KubernetesTarget {
  readonly kind: 'kubernetes';
  /** Null: the kubeconfig's current one. */
  readonly context: string | null;
  /** Where the exporter's pods are. */
  readonly namespace: string;
  /** $KUBECONFIG's files, which must be there; else ~/.kube/config, which may. */
  readonly kubeconfig: { readonly files: readonly string[]; readonly given: boolean };
  /** Where pods reach the API server; null outside a pod. */
  readonly service: { readonly host: string; readonly port: number } | null;
  /** How many pods are asked at a time. */
  readonly concurrency: number;
}

/** Running agents by their addresses, without their last slash. */
export interface AgentsTarget {
  readonly kind: 'agents';
  readonly urls: readonly string[];
  readonly concurrency: number;
}
