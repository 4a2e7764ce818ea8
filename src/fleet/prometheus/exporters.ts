/** The exporters that Prometheus knows: those that answered, those that do not, and those that did an hour ago. */
import { groupBy } from '../../model/fleet/names.ts';
import type { NoAnswer } from '../../model/fleet/observation.ts';
import { noAnswer } from '../reply.ts';
import { nodenameOf, type Target, type Targets } from './answers.ts';
import { agree, BUILD, type Labels, splitLabels, UP } from './metrics.ts';
import { JOB } from './queries.ts';
import type { Sample } from './vector.ts';

export interface Exporter {
  /** Of its node: the label `node`, else what the agent calls it, else the target's address. */
  readonly name: string;
  readonly labels: Labels;
  readonly seen: Target | NoAnswer;
}

export interface Exporters {
  readonly answered: readonly Exporter[];
  /** Targets now. */
  readonly silent: readonly Exporter[];
  /** No targets now; none that anybody answers for. */
  readonly gone: readonly Exporter[];
  readonly notes: readonly string[];
}

const SEE_POD =
  "see its error on the page /targets of Prometheus, that the DaemonSet has a ready pod there ('kubectl -n eks-endpoint-exporter get pods -o wide') and that port 10943 of the node is open to Prometheus";

export function findExporters(
  targets: Targets,
  silent: readonly Sample[],
  gone: readonly Sample[],
): Exporters {
  const answered = [...targets.values()].map((target) => ({
    name: nameOf(target.labels, nodenameOf(target)),
    labels: target.labels,
    seen: target,
  }));
  const places = byPlace(answered.map(({ labels }) => labels));
  const ups = silent
    .map(({ labels, value }) => ({ labels: splitLabels(UP, labels).target, isDown: value === 0 }))
    .filter(({ labels }) => !isAmong(places, labels));
  const goneLabels = gone.map(({ labels }) => splitLabels(BUILD, labels).target);
  const answeredBefore = byPlace(goneLabels);
  /** Jobs that scrape others too: those answer, and are no exporters. */
  const mixedJobs = new Set(
    ups
      .filter(({ labels, isDown }) => !isDown && !jobOf(labels).includes(JOB))
      .map(({ labels }) => jobOf(labels)),
  );
  const doors = new Set([...answered.map(({ labels }) => labels), ...goneLabels].map(doorOf));
  const ours = ups.filter(
    ({ labels, isDown }) =>
      !mixedJobs.has(jobOf(labels)) ||
      isAmong(answeredBefore, labels) ||
      (isDown && doors.has(doorOf(labels))),
  );
  const others = ups.filter((up) => up.isDown && !ours.includes(up));
  const present = byPlace(ours.map(({ labels }) => labels));
  const names = new Set(answered.map(({ name, labels }) => identityOf(name, labels)));
  return {
    answered,
    silent: ours.map(({ labels, isDown }) => ({
      name: nameOf(labels, null),
      labels,
      seen: isDown ? DOWN : OTHER,
    })),
    gone: goneLabels
      .filter((labels) => !isAmong(present, labels) && !isAmong(places, labels))
      .map((labels) => ({ name: nameOf(labels, null), labels, seen: GONE }))
      .filter(({ name, labels }) => !names.has(identityOf(name, labels))),
    notes: others.length === 0 ? [] : [ofMixedJobs(others.map(({ labels }) => jobOf(labels)))],
  };
}

const DOWN = noAnswer('not-answering', {
  detail: 'its exporter did not answer the last scrape',
  remedy: SEE_POD,
});
const OTHER = noAnswer('unreadable', {
  detail: 'its target answers, and has no metrics of this exporter',
  remedy: 'see what listens there, and that it is an eks-endpoint-exporter of this version',
});
const GONE = noAnswer('gone', {
  detail: 'its exporter answered within the last hour and is no target now',
  remedy:
    'see whether the node still exists: kube-state-metrics would tell (let Prometheus scrape it); --ignore-gone leaves such nodes out',
});

function nameOf(labels: Labels, nodename: string | null): string {
  return labels['node'] || nodename || labels['instance'] || JSON.stringify(labels);
}

/** A roll-out makes new targets of the same node. */
function identityOf(name: string, labels: Labels): string {
  return JSON.stringify([name, labels['cluster']]);
}

function jobOf(labels: Labels): string {
  return labels['job'] ?? '';
}

type Places = ReadonlyMap<string, readonly Labels[]>;

function byPlace(all: readonly Labels[]): Places {
  return groupBy(all, placeOf);
}

/** A series may have labels that `up` of its target has not: what both have must agree. */
function isAmong(places: Places, labels: Labels): boolean {
  return places.get(placeOf(labels))?.some((other) => agree(labels, other)) ?? false;
}

function placeOf({ job, instance }: Labels): string {
  return JSON.stringify([job, instance]);
}

/** Where the exporters of a job listen: on the host's network that is one port. */
function doorOf({ job, instance = '' }: Labels): string {
  return JSON.stringify([job, /:\d+$/.exec(instance)?.[0] ?? instance]);
}

function ofMixedJobs(jobs: readonly string[]): string {
  const names = [...new Set(jobs)].map((job) => JSON.stringify(job)).join(', ');
  const who = jobs.length === 1 ? 'One target does' : `${jobs.length} targets do`;
  return `${who} not answer in jobs that scrape others too (${names}): whether there are exporters among them is not known; a job of their own would tell, and kube-state-metrics.`;
}
