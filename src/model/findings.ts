/** The findings: one table that holds each one's code, severity, condition, text, remedy and runbook. */
import type { ClientView } from './clients.ts';
import type { EndpointConnection } from './connections.ts';
import type { TrackedSocket } from './history.ts';
import { list, type Verdict } from './node-route.ts';
import { type Moment, type Observation, UNFORESEEN } from './observation.ts';
import { type Knowledge, routeOf } from './route.ts';
import type { Settings } from './settings.ts';
import type { Finding, FindingCode, Severity } from './status.ts';

/** Everything that a finding may depend on. */
export interface Circumstances {
  readonly settings: Settings;
  readonly observation: Observation;
  readonly known: Knowledge;
  readonly clients: readonly ClientView[];
  readonly tracked: ReadonlyMap<string, TrackedSocket>;
  readonly verdict: Verdict;
  /** Since when the node route was not the expected one; null while it is. */
  readonly unexpectedSince: Moment | null;
}

export interface Judged {
  readonly findings: readonly Finding[];
  readonly evaluated: readonly FindingCode[];
}

/** What one finding says of one client or address; the rest of a finding follows from its code. */
interface Instance {
  readonly client?: string;
  readonly address?: string;
  readonly summary: string;
  readonly remedy: string;
}

interface Rule {
  readonly code: FindingCode;
  readonly severity: Severity;
  /** What is raised; null where it cannot be evaluated. `before`: what the rules above this one raised. */
  readonly evaluate: (now: Circumstances, before: readonly Finding[]) => readonly Instance[] | null;
}

/** How long DNS may fail before it is a finding: two of EKS's TTLs of 60 s. */
const DNS_FAILING_AFTER_MS = 120_000;

const RULES: readonly Rule[] = [
  {
    code: 'Blind',
    severity: 'warning',
    evaluate: ({ observation, clients }) => {
      const failed = observation.stages.filter(
        ({ stage, success }) => !success && (stage === 'owners' || stage === 'sockets'),
      );
      if (failed.length > 0) {
        const what = failed.map(({ stage, error }) => `the stage ${stage} failed: ${error}`).join('; ');
        const isOurs = failed[0]?.error?.startsWith(UNFORESEEN) ?? false;
        return isOurs
          ? [
              {
                summary: `a look failed: ${failed[0]?.error}`,
                remedy: "this is a bug: report it with the agent's log",
              },
            ]
          : [{ summary: what, remedy: `see that --path.procfs names the host's /proc; ${NEEDS}` }];
      }
      const hidden = observation.owners?.unreadable ?? 0;
      return [
        ...(hidden > 0
          ? [{ summary: `some processes could not be read (${hidden}): one may be a client`, remedy: NEEDS }]
          : []),
        ...clients
          .filter(({ readable }) => readable === false)
          .map(({ client, obstacle, processes }) => ({
            client,
            summary: `${client} could not be read: ${obstacle}`,
            remedy: processes.length > 0 ? NEEDS : whoIs(client),
          })),
      ];
    },
  },
  {
    code: 'ClientMissing',
    severity: 'warning',
    evaluate: ({ clients }) => {
      const required = clients.filter((client) => client.required);
      if (required.some(({ found }) => found === null)) return null;
      return required
        .filter(({ found }) => !found)
        .map(({ client }) => ({
          client,
          summary: `${client} is required and no process of that name runs as uid 0 in the node's network namespace`,
          remedy: `look for it with 'pgrep -ax ${client}' and 'systemctl status ${client}' on the node; the agent's pod needs hostPID and hostNetwork to see it`,
        }));
    },
  },
  {
    code: 'DnsPublic',
    severity: 'warning',
    evaluate: ({ settings, known, observation }) => {
      if (settings.expect !== 'x-eni' || known.dns === null) return null;
      const open = known.dns
        .filter((address) => routeOf(address, known) === 'public')
        .map(({ text }) => text);
      const [address] = open;
      if (address === undefined) return [];
      return [
        {
          address,
          summary: `DNS gives ${list(open.slice(0, 4))} for ${observation.dns?.hostname}: a new connection takes the public route`,
          remedy:
            "turn on the cluster's private endpoint access ('aws eks update-cluster-config --name CLUSTER --resources-vpc-config endpointPrivateAccess=true'; DNS follows some minutes later); where it is on, the VPC needs enableDnsHostnames and enableDnsSupport, and the node the VPC's own resolver",
        },
      ];
    },
  },
  {
    code: 'DnsFailing',
    severity: 'warning',
    evaluate: ({ observation: { dns, at } }) => {
      if (dns === null) return null;
      const failingMs = dns.failingSince === null ? 0 : at.monotonicMs - dns.failingSince.monotonicMs;
      const failing = failingMs >= DNS_FAILING_AFTER_MS;
      // Neither an answer nor long enough without one: that is not known yet.
      if (!failing && dns.answer === null) return null;
      if (!failing) return [];
      return [
        {
          summary: `no complete DNS answer for ${dns.hostname} for ${seconds(failingMs)}: ${dns.error}`,
          remedy: `ask the node's resolvers by hand: ${dns.servers.map((server) => `'dig ${dns.hostname} @${server}'`).join(', ') || `'dig ${dns.hostname}'`}; look at /etc/resolv.conf, the VPC's DHCP options and the route to the resolver`,
        },
      ];
    },
  },
  {
    code: 'ConnectionMoving',
    severity: 'info',
    evaluate: (now) =>
      staleGroups(now, (ageMs) => ageMs < now.settings.staleAfterMs)?.map((group) => ({
        client: group.client,
        address: group.oldest.socket.peer.text,
        summary: staleSummary(group, now),
        remedy: movingRemedy(group, now.settings),
      })) ?? null,
  },
  {
    code: 'StaleConnection',
    severity: 'warning',
    evaluate: (now) =>
      staleGroups(
        now,
        (ageMs, { route }) => ageMs >= now.settings.staleAfterMs && route !== now.settings.expect,
      )?.map((group) => ({
        client: group.client,
        address: group.oldest.socket.peer.text,
        summary: staleSummary(group, now),
        remedy: moveIt(group.client),
      })) ?? null,
  },
  {
    code: 'UnexpectedRoute',
    severity: 'warning',
    evaluate: ({ settings, observation, verdict, unexpectedSince }, before) => {
      if (settings.expect === 'any' || verdict.route === 'unknown') return null;
      if (verdict.route === settings.expect || unexpectedSince === null || before.length > 0) return [];
      const forMs = observation.at.monotonicMs - unexpectedSince.monotonicMs;
      if (forMs < settings.unexpectedAfterMs) return [];
      return [
        {
          summary: `the node route is ${verdict.route} where ${settings.expect} is expected: ${verdict.reason}`,
          remedy:
            verdict.route === 'none'
              ? "see whether the clients go through a proxy (HTTPS_PROXY in their environment), and whether the endpoint's port is right: 'ss -tnp' shows what they hold"
              : verdict.route === 'other'
                ? "if the address is an X-ENI's, name the VPC's CIDRs (--vpc-cidr) or the X-ENIs (--x-eni); else find out what it is: a proxy, a tunnel, a load balancer of your own"
                : "compare the addresses that DNS gives with the cluster's endpoint access ('aws eks describe-cluster --name CLUSTER --query cluster.resourcesVpcConfig'), or correct --expect",
        },
      ];
    },
  },
];

/** The finding's codes, in the order of the table. */
export const FINDING_CODES: readonly FindingCode[] = RULES.map(({ code }) => code);

/** The severity of each code. */
export function severityOf(code: FindingCode): Severity {
  return RULES.find((rule) => rule.code === code)?.severity ?? 'warning';
}

/** Evaluates every finding; those that cannot be evaluated are neither raised nor clear. */
export function judgeFindings(circumstances: Circumstances): Judged {
  const findings: Finding[] = [];
  const evaluated: FindingCode[] = [];
  for (const { code, severity, evaluate } of RULES) {
    const instances = evaluate(circumstances, findings);
    if (instances === null) continue;
    evaluated.push(code);
    findings.push(...instances.map((instance) => finding(code, severity, instance)));
  }
  return { findings, evaluated };
}

/** `Blind` for a status whose look is too old. */
export function blindForAge(ageMs: number): Finding {
  return finding('Blind', 'warning', {
    summary: `no look has ended for ${seconds(ageMs)}`,
    remedy:
      "look at the agent's log and at the machine's load; after 3 minutes without a look /-/healthy answers 503",
  });
}

function finding(
  code: FindingCode,
  severity: Severity,
  { client, address, summary, remedy }: Instance,
): Finding {
  const runbook = `docs/runbooks/${code}.md`;
  return { code, severity, client: client ?? null, address: address ?? null, summary, remedy, runbook };
}

/** What the agent needs to see. */
const NEEDS =
  'the agent needs uid 0, the capability SYS_PTRACE, hostPID and hostNetwork; on Ubuntu also AppArmor "Unconfined"';

function whoIs(client: string): string {
  return `find out with 'ps -o pid,user,args -C ${client}' what runs under that name: anyone can take it, and only a process of uid 0 is believed`;
}

interface StaleGroup {
  readonly client: string;
  readonly oldest: EndpointConnection;
  readonly count: number;
  readonly ageMs: number;
  /** Whether DNS was seen to change while the connection stood; else it may be stale for much longer. */
  readonly changeSeen: boolean;
}

/** The stale connections of each client whose age and connection fit; null where staleness is not known. */
function staleGroups(
  { clients, tracked, observation, known }: Circumstances,
  fits: (ageMs: number, connection: EndpointConnection) => boolean,
): readonly StaleGroup[] | null {
  if (known.dns === null || clients.some(({ told }) => !told)) return null;
  return clients.flatMap(({ client, connections }) => {
    const aged = connections
      .filter(({ stale }) => stale)
      .map((connection) => {
        const since = tracked.get(connection.key)?.staleSince ?? connection.firstSeenAt;
        const ageMs = observation.at.monotonicMs - since.monotonicMs;
        const changeSeen = since.monotonicMs > connection.firstSeenAt.monotonicMs;
        return { oldest: connection, ageMs, changeSeen };
      })
      .filter(({ ageMs, oldest }) => fits(ageMs, oldest))
      .sort((a, b) => b.ageMs - a.ageMs);
    const [first] = aged;
    return first === undefined ? [] : [{ client, count: aged.length, ...first }];
  });
}

function staleSummary(
  { client, oldest, count, ageMs, changeSeen }: StaleGroup,
  { known }: Circumstances,
): string {
  const held = count === 1 ? 'a connection' : `${count} connections, one of them`;
  const given = list([...new Set(known.dns?.map((address) => routeOf(address, known)))]);
  const age = changeSeen ? `, for ${seconds(ageMs)}` : `; seen for ${seconds(ageMs)}, it may be older`;
  return `${client} holds ${held} to ${oldest.socket.peer.text} (${oldest.route}) while DNS gives ${given}${age}`;
}

function movingRemedy(
  { client, oldest, changeSeen }: StaleGroup,
  { staleAfterMs, expect }: Settings,
): string {
  if (oldest.route === expect) return 'nothing: its route is the expected one; it is DNS that differs';
  const later = `after ${seconds(staleAfterMs)} this becomes StaleConnection`;
  return changeSeen
    ? `nothing yet: a process moves when it next opens a connection; ${later}. To move it now, ${moveIt(client)}`
    : `if DNS changed some minutes ago, nothing yet: a process moves when it next opens a connection. Else ${moveIt(client)}`;
}

/** How to move a client without losing the node. */
function moveIt(client: string): string {
  return `first see that the node can open a connection to port 443 of the addresses that DNS gives now (security groups); then ${restart(client)}; a few nodes at a time, and watch that they stay Ready`;
}

/** How a client is made to open its connections anew. */
function restart(client: string): string {
  const replace = 'where there is no shell (Bottlerocket, Auto Mode), replace the node';
  if (client === 'kubelet') return `'systemctl restart kubelet' on the node; ${replace}`;
  if (client === 'kube-proxy') {
    return "'kubectl -n kube-system rollout restart daemonset/kube-proxy' (all nodes), or delete this node's kube-proxy pod; on Auto Mode, replace the node";
  }
  return `restart ${client}; ${replace}`;
}

/** A duration for people. */
function seconds(ms: number): string {
  const total = Math.floor(ms / 1000);
  if (total < 120) return `${total} s`;
  return total < 7200 ? `${Math.floor(total / 60)} min` : `${Math.floor(total / 3600)} h`;
}
