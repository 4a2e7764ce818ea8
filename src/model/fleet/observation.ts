/** What was seen of a fleet's nodes, whoever was asked: no judgement. */
import type { GateName, GateState, NodeRoute, Route } from '../status.ts';

export interface FleetObservation {
  /** Who was asked, for people: `Prometheus at http://127.0.0.1:9090`. */
  readonly source: string;
  /** When it was asked, ISO 8601, by this machine's clock. */
  readonly at: string;
  readonly nodesFrom: NodesFrom;
  /** In no order. A name may be there more than once: that is judged. */
  readonly nodes: readonly NodeObservation[];
  /** Whole sentences about what a reader must know beside the nodes. */
  readonly notes: readonly string[];
}

/**
 * Who says which nodes there are: Kubernetes, kube-state-metrics, Prometheus' targets (a node that is none is not missed), or whoever
 * named the agents.
 */
export type NodesFrom = 'kubernetes' | 'kube-state-metrics' | 'targets' | 'agents';

export interface NodeObservation {
  readonly node: string;
  /** What tells two of one name apart, for people: `instance="10.0.0.1:10943"`, `pod "eks-endpoint-exporter-x7k2p"`. */
  readonly origin: string;
  /** What selectors match: the series' labels, and the node's Kubernetes labels where they can be had. */
  readonly labels: Readonly<Record<string, string>>;
  readonly seen: NodeAnswer | NoAnswer;
}

/** What the agent of a node says. */
export interface NodeAnswer {
  readonly kind: 'answer';
  /** From the agent's look (or its last scrape) to now, by one clock. */
  readonly ageSeconds: number;
  readonly version: string | null;
  /** Of the endpoint, in lower case; null where the agent does not know it. */
  readonly hostname: string | null;
  readonly route: NodeRoute;
  /** Null where it was not told. */
  readonly routeReason: string | null;
  /** A gate that was not told is not there. */
  readonly gates: readonly GateAnswer[];
  /** Raised ones, as the agent orders them. */
  readonly findings: readonly FindingAnswer[];
  /** Endpoint connections that are not on an X-ENI, or are stale; at most 16. */
  readonly connections: readonly ConnectionAnswer[];
}

export interface GateAnswer {
  readonly gate: GateName;
  readonly state: GateState;
  /** Null where the source does not carry it (Prometheus). */
  readonly reason: string | null;
}

export interface FindingAnswer {
  /** One of FindingCode, or one of a newer agent. */
  readonly code: string;
  readonly severity: string;
  readonly client: string | null;
  /** Null where the source does not carry it. */
  readonly summary: string | null;
  /** What to do; the general advice of its code where the source does not carry the node's own. */
  readonly remedy: string | null;
}

export interface ConnectionAnswer {
  readonly client: string;
  /** An address, with a port where it is known. */
  readonly peer: string;
  readonly route: Route;
  /** For how long it has been stale; null where it is not, or that is not known. */
  readonly staleSeconds: number | null;
}

/** The node is there, and nobody speaks for it. */
export interface NoAnswer {
  readonly kind: 'none';
  readonly why: NoAnswerReason;
  /** One sentence without its period: `its target is down: connection refused`. */
  readonly detail: string;
  /** What would do; one sentence without its period. */
  readonly remedy: string;
}

export type NoAnswerReason =
  /** It runs on Fargate, where there are no DaemonSets. */
  | 'fargate'
  /** No exporter is there, or none that is looked for. */
  | 'no-exporter'
  /** It answered within the last hour; whether the node still exists is not known. */
  | 'gone'
  /** It did not answer, or said that it cannot yet. */
  | 'not-answering'
  /** It answered what this program cannot read. */
  | 'unreadable'
  /** Somebody else answered. */
  | 'other-node';
