/** Why a node does not pass where no finding of its agent says so: one table of words, what each means, and what to do. */
import type { NoAnswerReason } from './observation.ts';

interface Cause {
  /** One sentence without its period. */
  readonly meaning: string;
  /** What to do, where nobody knows better; one sentence without its period. */
  readonly remedy: string;
}

const ONE_CLUSTER =
  'judge one cluster at a time (--prometheus-matcher such as \'cluster="a"\', the agents or the context of one cluster), and see that no agent has the endpoint of another (--endpoint)';

const CAUSES = {
  NotCovered: {
    meaning: 'no exporter runs on the node, or none that is looked for',
    remedy:
      'see docs/runbooks/ExporterMissing.md: a taint, an affinity, a namespace or a job that is another one',
  },
  Fargate: {
    meaning: 'the node is on Fargate, where no exporter can run',
    remedy:
      'tell its route in another way, then leave such nodes out with --ignore-fargate: they stay named, and nothing is known of them',
  },
  Gone: {
    meaning: 'the node answered within the last hour and is not asked any more',
    remedy:
      'see whether the node still exists: with kube-state-metrics or --kubernetes that is known, with --ignore-gone it does not count',
  },
  NoAnswer: {
    meaning: 'its agent did not answer',
    remedy:
      "see docs/runbooks/ExporterMissing.md: the agent's pod, its log, and whether its port can be reached",
  },
  Unreadable: {
    meaning: 'its agent answered what this program cannot read',
    remedy: 'use an eks-endpoint-exporter of the same release here and on the nodes',
  },
  OtherNode: {
    meaning: 'another node answered for it',
    remedy: "see that the agent has the node's name in Kubernetes (--node-name, NODE_NAME)",
  },
  TooOld: {
    meaning: 'its last answer is too old',
    remedy:
      'see that the agent runs and is asked often enough (Prometheus: up, and a scrape interval well below --max-age); docs/runbooks/ExporterMissing.md',
  },
  AgeUnknown: {
    meaning: 'it is not known how old its answer is',
    remedy: "set the clocks of the node and of who asks ('timedatectl')",
  },
  Duplicate: {
    meaning: 'several answer to its name',
    remedy:
      'see that each node is asked once: by one job, of one cluster (--prometheus-matcher such as \'job="eks-endpoint-exporter"\'), each agent with its own --node-name',
  },
  NoEndpoint: {
    meaning: 'its answer does not say of which endpoint it speaks',
    remedy: "see the agent's log: it finds the endpoint in a kubeconfig, else it needs --endpoint",
  },
  OtherEndpoint: { meaning: 'its answer is of another endpoint', remedy: ONE_CLUSTER },
  GateFalse: {
    meaning: 'its gate is false, and no finding says why',
    remedy: "read the gate's reason on the node's page, which its agent serves",
  },
  GateUnknown: {
    meaning: 'its gate is unknown, or was not told',
    remedy:
      "ask again in a few seconds, or with --wait 1m; if it stays so, the gate's reason on the node's page says what is missing",
  },
} as const satisfies Readonly<Record<string, Cause>>;

export type CauseWord = keyof typeof CAUSES;

const OF_NO_ANSWER: Readonly<Record<NoAnswerReason, CauseWord>> = {
  fargate: 'Fargate',
  'no-exporter': 'NotCovered',
  gone: 'Gone',
  'not-answering': 'NoAnswer',
  unreadable: 'Unreadable',
  'other-node': 'OtherNode',
};

export function causeOf(word: CauseWord): Cause {
  return CAUSES[word];
}

export function causeWordOf(why: NoAnswerReason): CauseWord {
  return OF_NO_ANSWER[why];
}
