/** The findings: one table that holds each one's code, severity, condition, text, remedy and runbook. */
import { type Address, formatEndpoint } from './address.ts';
import { isAmazonDns } from './amazon-dns.ts';
import type { Tier } from './attribution.ts';
import type { ClientView } from './clients.ts';
import type { EndpointConnection } from './connections.ts';
import { isCurrentProbe, isOld, isOldDns, NODE_CONFIG_INTERVAL_MS } from './freshness.ts';
import type { TrackedSocket } from './history.ts';
import type { Verdict } from './node-route.ts';
import { DEADLINE_PASSED, type Moment, type Observation, type ProbeSeen, UNFORESEEN } from './observation.ts';
import { moveIt, NEEDS, restart, safely, whoIs } from './remedies.ts';
import { resolversObstacle } from './resolvers.ts';
import { currentXEnis, distinct, holds, type Knowledge, routeOf } from './route.ts';
import type { Settings } from './settings.ts';
import { movingRemedy, type StaleFacts, type StaleGroup, staleGroups, staleSummary } from './stale.ts';
import { type Finding, type FindingCode, type Route, type Severity, UNATTRIBUTED } from './status.ts';
import { duration, list } from './text.ts';
import { agentObstacle, xEnisObstacle } from './x-enis-known.ts';

/** Everything that a finding may depend on. */
export interface Circumstances {
  readonly settings: Settings;
  readonly observation: Observation;
  readonly known: Knowledge;
  readonly tier: Tier;
  readonly clients: readonly ClientView[];
  readonly tracked: ReadonlyMap<string, TrackedSocket>;
  readonly verdict: Verdict;
  /** The agent's first look. */
  readonly observedSince: Moment;
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
  /** What to do, in one sentence that holds on every node: for alerts and tables, where no status is at hand. */
  readonly advice: string;
  /** What is raised; null where it cannot be evaluated. `before`: what the rules above this one raised. */
  readonly evaluate: (now: Circumstances, before: readonly Finding[]) => readonly Instance[] | null;
}

/** How long DNS may fail before it is a finding: two of EKS's TTLs of 60 s. */
const DNS_FAILING_AFTER_MS = 120_000;
/** How long the slice may not be readable before it is a finding: it is read every 5 minutes. */
const SLICE_FAILING_AFTER_MS = 300_000;
/** How long the same socket must show it: a SYN or a segment that is lost once is sent again within a second or three. */
const STUCK_AFTER_MS = 10_000;
/** Addresses named in one sentence. */
const MAX_NAMED = 4;

/** Findings that are no reason for a route. */
const SAYS_NOTHING_OF_ROUTES: readonly FindingCode[] = [
  'CustomResolver',
  'ConnectStuck',
  'Retransmitting',
  'SliceUnavailable',
];

const RULES: readonly Rule[] = [
  {
    code: 'Blind',
    severity: 'warning',
    advice:
      'Mend what the reason names (rights: uid 0, SYS_PTRACE, hostPID, hostNetwork; CPU; a client that is not there); until then nothing good is known of the node.',
    evaluate: ({ observation, clients, tier }) => {
      const failed = observation.stages.filter(
        ({ stage, success }) => !success && (stage === 'owners' || stage === 'sockets'),
      );
      const known =
        tier.attribution === 'address' ? '; meanwhile sockets are told by known addresses alone' : '';
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
          : [{ summary: what + known, remedy: blindRemedy(failed.map(({ error }) => error)) }];
      }
      const hidden = observation.owners?.unreadable ?? 0;
      const raised = [
        ...(hidden > 0
          ? [
              {
                summary: `some processes could not be read (${hidden}): one may be a client${known}`,
                remedy: NEEDS,
              },
            ]
          : []),
        ...clients
          .filter(({ readable }) => readable === false)
          .map(({ client, obstacle, processes }) => ({
            client,
            summary: `${client} could not be read: ${obstacle}${known}`,
            remedy: processes.length > 0 ? NEEDS : whoIs(client),
          })),
      ];
      return raised.length === 0 && tier.obstacle !== null
        ? [{ summary: tier.obstacle + known, remedy: NEEDS }]
        : raised;
    },
  },
  {
    code: 'ClientMissing',
    severity: 'warning',
    advice:
      'See whether the client runs on the node at all, and whether the agent has hostPID and hostNetwork; until then the route of the node is not known.',
    evaluate: ({ clients, tier }) => {
      const required = clients.filter((client) => client.required);
      if (tier.attribution === 'address' || required.some(({ found }) => found === null)) return null;
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
    code: 'XEniUnreachable',
    severity: 'critical',
    advice:
      "Restart no client and replace no node: first let the nodes in on port 443 of the X-ENIs' security group, then look at network ACLs, routes and firewalls.",
    evaluate: (now) =>
      unlessXEnisUnknown(
        now,
        probeFinding(now, currentXEnis(now.known), {
          stages: ['tcp', 'tls'],
          tells: () => true,
          describe: (probe) => ({
            summary: `X-ENI ${probe.address.text} does not answer on port ${probe.port} from this node: ${probe.error}. Connections that stand may go on, but what reconnects does not come back`,
            remedy: `restart no client and replace no node until this is mended. ${openTheWay(probe)}`,
          }),
        }),
      ),
  },
  {
    code: 'XEniIdentityMismatch',
    severity: 'critical',
    advice:
      "Restart no client and replace no node: first see who answers there (a firewall that opens TLS, an address that is no X-ENI any more, a wrong CA, the node's clock).",
    evaluate: (now) => {
      const hostname = now.observation.endpoint?.hostname;
      const addresses = distinct([...currentXEnis(now.known), ...(now.known.dns ?? [])]);
      return unlessXEnisUnknown(
        now,
        probeFinding(now, addresses, {
          stages: ['identity'],
          // What failed before it showed a certificate has not shown the right one.
          tells: ({ success }) => success,
          describe: ({ address, port, error }) => ({
            summary: `${address.text} is to be an API server of ${hostname}, and shows a certificate that is not this cluster's: ${error}`,
            remedy: `see who answers: 'openssl s_client -connect ${formatEndpoint(address, port)} -servername ${hostname} </dev/null | openssl x509 -noout -subject -issuer -dates'; a firewall that opens TLS must let the name pass, an address that is no X-ENI any more must leave --x-eni, your own DNS zones and the hosts file; where every address shows it, see that the agent has this cluster's CA and name (--ca-file, --endpoint). Where its dates are the matter, look at the node's clock ('timedatectl'). Restart no client`,
          }),
        }),
      );
    },
  },
  {
    code: 'DnsPublic',
    severity: 'warning',
    advice:
      "Once private-ready is true on every node, turn on the cluster's private endpoint access; where it is on, see to the VPC's DNS settings and the node's resolver.",
    evaluate: ({ settings, known, observation }) => {
      if (settings.expect !== 'x-eni' || known.dns === null) return null;
      const open = known.dns
        .filter((address) => routeOf(address, known) === 'public')
        .map(({ text }) => text);
      const [address] = open;
      if (address === undefined) return isDnsOfNode(observation) ? [] : null;
      return [
        {
          address,
          summary: `DNS gives ${list(open.slice(0, MAX_NAMED))} for ${observation.dns?.hostname}: a new connection takes the public route`,
          remedy:
            "turn on the cluster's private endpoint access once the gate private-ready is true on the nodes ('aws eks update-cluster-config --name CLUSTER --resources-vpc-config endpointPrivateAccess=true'; DNS follows some minutes later); where it is on, the VPC needs enableDnsHostnames and enableDnsSupport, and the node the VPC's own resolver",
        },
      ];
    },
  },
  {
    code: 'DnsFailing',
    severity: 'warning',
    advice:
      "Ask the node's resolvers by hand; restart no client and replace no node meanwhile: it may not find the endpoint again.",
    evaluate: ({ observation: { dns, at } }) => {
      if (dns === null) return null;
      const failingMs = dns.failingSince === null ? 0 : at.monotonicMs - dns.failingSince.monotonicMs;
      const failing = failingMs >= DNS_FAILING_AFTER_MS;
      // Neither an answer nor long enough without one: that is not known yet.
      if (!failing && dns.answer === null) return null;
      if (!failing) return [];
      return [
        {
          summary: `no complete DNS answer for ${dns.hostname} for ${duration(failingMs)}: ${dns.error}`,
          remedy: `ask the node's resolvers by hand: ${dns.servers.map((server) => `'dig ${dns.hostname} @${server}'`).join(', ') || `'dig ${dns.hostname}'`}; look at /etc/resolv.conf, the VPC's DHCP options and the route to the resolver; restart no client meanwhile: it may not find the endpoint again`,
        },
      ];
    },
  },
  {
    code: 'CustomResolver',
    severity: 'info',
    advice:
      "Nothing while DNS gives the addresses that you expect; else let that resolver forward the endpoint's name to the VPC's own.",
    evaluate: ({ settings, observation: { nodeConfig, endpoint, at }, known }) => {
      const resolvers = nodeConfig?.resolvers ?? null;
      if (!settings.onEc2 || resolvers === null) return null;
      const judged = resolvers.map((resolver) => ({
        resolver,
        isAmazon: isAmazonDns(resolver, known.vpcCidrs),
      }));
      const custom = judged.filter(({ isAmazon }) => isAmazon === false).map(({ resolver }) => resolver);
      const [first] = custom;
      if (first === undefined) {
        const isOpen = judged.some(({ isAmazon }) => isAmazon === null);
        return isOpen || nodeConfig === null || isOld(nodeConfig.at, at, NODE_CONFIG_INTERVAL_MS) ? null : [];
      }
      return [
        {
          address: first.text,
          summary: `the node asks ${list(custom.slice(0, MAX_NAMED).map(({ text }) => text))} for names, not the VPC's own resolver: it may go on giving the public addresses after a switch`,
          remedy: `nothing while DNS gives the X-ENIs; else compare 'dig ${endpoint?.hostname} @169.254.169.253' with 'dig ${endpoint?.hostname} @${first.text}' and let that resolver forward the name to the VPC's base address + 2 (from outside the VPC: to a Route 53 Resolver inbound endpoint), or let the nodes ask AmazonProvidedDNS themselves (the VPC's DHCP options; Bottlerocket also settings.dns)`,
        },
      ];
    },
  },
  {
    code: 'HostsFileOverride',
    severity: 'warning',
    advice:
      "Once this node's probes of what DNS gives succeed, take the endpoint's name out of what writes its hosts file; on Outposts local clusters leave it.",
    evaluate: ({ settings, observation, known }) => {
      const { nodeConfig, endpoint, dns, at } = observation;
      if (!nodeConfig?.hosts || known.dns === null) return null;
      const other = nodeConfig.hosts.filter((address) => !holds(known.dns, address)).map(({ text }) => text);
      const [address] = other;
      if (address === undefined)
        return dns === null || isOldDns(dns, at) || isOld(nodeConfig.at, at, NODE_CONFIG_INTERVAL_MS)
          ? null
          : [];
      return [
        {
          address,
          summary: `the node's hosts file gives ${endpoint?.hostname} the address ${list(other.slice(0, MAX_NAMED))}, which DNS does not give: the clients do not go by DNS`,
          remedy: `${safely({ settings, known })}; take the name out of what writes it (user data, image, a DaemonSet; Bottlerocket: 'apiclient get settings.network.hosts'), then out of the hosts file ('grep -inF ${endpoint?.hostname} /etc/hosts'); new connections then go by DNS, a pod of kube-proxy has to be made anew; one node first, then in batches. On an Outposts local cluster it belongs there: leave it`,
        },
      ];
    },
  },
  {
    code: 'ConnectionMoving',
    severity: 'info',
    advice: 'Wait, as long as new connections succeed: old and new ones side by side are progress.',
    evaluate: (now) =>
      staleOf(now, (ageMs) => ageMs < now.settings.staleAfterMs)?.map((group) => ({
        client: group.client,
        address: group.oldest.socket.peer.text,
        summary: staleSummary(group, now),
        remedy: movingRemedy(group, now),
      })) ?? null,
  },
  {
    code: 'StaleConnection',
    severity: 'warning',
    advice:
      "Only once this node's probes of what DNS gives succeed (X-ENIs: private-ready is true), close the connection or restart the client: one node first, then in batches.",
    evaluate: (now) =>
      staleOf(
        now,
        (ageMs, { route }) => ageMs >= now.settings.staleAfterMs && route !== now.settings.expect,
      )?.map((group) => ({
        client: group.client,
        address: group.oldest.socket.peer.text,
        summary: staleSummary(group, now),
        remedy: moveIt(group.oldest, now),
      })) ?? null,
  },
  {
    code: 'StaleXEni',
    severity: 'warning',
    advice:
      "Nothing for some minutes: EKS replaces X-ENIs; if it stays, close the connection once this node's probes of what DNS gives succeed.",
    evaluate: (now) =>
      unlessXEnisUnknown(
        now,
        connectionFinding(
          now,
          (one) =>
            one.socket.state === 'established' &&
            one.route !== 'x-eni' &&
            holds(now.known.former, one.socket.peer),
          (connection) => ({
            summary: `${connection.client} is connected to ${connection.socket.peer.text}, which was an X-ENI and is one no longer`,
            remedy: `nothing for some minutes: EKS replaces X-ENIs at upgrades and when the control plane scales, and the server closes what is left; if it stays, ${moveIt(connection, now)}`,
          }),
        ),
      ),
  },
  {
    code: 'ConnectStuck',
    severity: 'warning',
    advice:
      'Restart no client and replace no node: first see what keeps the way closed (security groups, network ACLs, routes; to public addresses NAT and publicAccessCidrs).',
    evaluate: (now) =>
      afterTenSeconds(now) &&
      connectionFinding(
        now,
        ({ key }) => isFor(now, now.tracked.get(key)?.stuckSince),
        ({ client, socket: { peer, peerPort }, route }) => ({
          summary: `${client} has been trying to connect to ${peer.text} (${route}) for ${STUCK_AFTER_MS / 1000} s or more without an answer`,
          remedy: stuckRemedy(route, peer, peerPort),
        }),
      ),
  },
  {
    code: 'Retransmitting',
    severity: 'warning',
    advice:
      'Wait a minute: the client opens another connection; if it comes back, restart nothing and look at what the path loses.',
    evaluate: (now) =>
      afterTenSeconds(now) &&
      connectionFinding(
        now,
        ({ key }) => isFor(now, now.tracked.get(key)?.retransmittingSince),
        ({ client, socket: { peer, retransmits, sendQueueBytes }, route }) => ({
          summary: `${client} gets no acknowledgement from ${peer.text} (${route}) for ${STUCK_AFTER_MS / 1000} s or more: ${retransmits} time-outs in a row, ${sendQueueBytes} bytes waiting`,
          remedy: `nothing for a minute: kubelet and kube-proxy close a connection whose pings are not answered, and open another; if it comes back, look at what the path loses ('ss -tnoi dst ${peer.text}'; security groups and network ACLs changed lately, NAT gateway, MTU); the gate private-ready says whether a new connection would find a way`,
        }),
      ),
  },
  {
    code: 'ViaProxy',
    severity: 'warning',
    advice:
      "If it is not wanted: once this node's probes of what DNS gives succeed, let the client's NO_PROXY name the endpoint.",
    evaluate: (now) => {
      const { nodeConfig } = now.observation;
      // Nobody's sockets are told by known addresses of the endpoint: a proxy's are none.
      if (now.tier.attribution === 'address' || !nodeConfig?.proxies) return null;
      const isWhole = nodeConfig.proxies.every(({ error }) => error === null);
      const raised = connectionFinding(
        now,
        ({ route }) => route === 'proxy',
        ({ client, socket: { peer, peerPort } }) => ({
          summary: `${client} reaches the endpoint through the proxy at ${peer.text} port ${peerPort}: what route the proxy takes cannot be seen from here`,
          remedy: `decide whether it is wanted; if not, ${safely(now)}; then exempt the endpoint: add ${now.observation.endpoint?.hostname} to NO_PROXY of ${client} (AL2023: a drop-in in /etc/systemd/system/kubelet.service.d; kube-proxy: its DaemonSet or add-on; Bottlerocket: settings.network.no-proxy; Auto Mode: the NodeClass), or take proxy-url out of its kubeconfig, then ${restart(client, now.settings)}; one node first, then in batches`,
        }),
      );
      return raised !== null && raised.length === 0 && !isWhole ? null : raised;
    },
  },
  {
    code: 'SliceUnavailable',
    severity: 'info',
    advice:
      "If it is refused, let the agent's account get the EndpointSlice default/kubernetes; until it is read, the X-ENIs may not be known.",
    evaluate: ({ observation: { endpointSlice, at, stages } }) => {
      if (endpointSlice === null) return null;
      const { failingSince, answer } = endpointSlice;
      const failingMs = failingSince === null ? 0 : at.monotonicMs - failingSince.monotonicMs;
      if (failingMs < SLICE_FAILING_AFTER_MS) return answer === null ? null : [];
      const error = stages.find(({ stage }) => stage === 'endpointslice')?.error;
      const kept =
        answer === null ? 'X-ENIs are known from DNS alone' : 'the X-ENIs last read go on counting';
      return [
        {
          summary: `the EndpointSlice default/kubernetes could not be read for ${duration(failingMs)}: ${error}; ${kept}`,
          remedy:
            "a refusal (403): 'kubectl -n default create role eks-endpoint-exporter --verb=get --resource=endpointslices.discovery.k8s.io --resource-name=kubernetes' and 'kubectl -n default create rolebinding eks-endpoint-exporter --role=eks-endpoint-exporter --serviceaccount=NAMESPACE:SERVICE_ACCOUNT'; 429 and 5xx: nothing, the API server is busy; no answer: see that the kubernetes Service answers from the node's network; --no-kubernetes with --x-eni where it is not wanted",
        },
      ];
    },
  },
  {
    code: 'UnexpectedRoute',
    severity: 'warning',
    advice:
      "See where the clients are connected and what DNS gives; restart none before this node's probes of what DNS gives succeed (X-ENIs: private-ready is true).",
    evaluate: ({ settings, observation, verdict, unexpectedSince }, before) => {
      if (settings.expect === 'any' || verdict.route === 'unknown') return null;
      const isExplained = before.some(({ code }) => !SAYS_NOTHING_OF_ROUTES.includes(code));
      if (verdict.route === settings.expect || unexpectedSince === null || isExplained) return [];
      const forMs = observation.at.monotonicMs - unexpectedSince.monotonicMs;
      if (forMs < settings.unexpectedAfterMs) return [];
      return [
        {
          summary: `the node route is ${verdict.route} where ${settings.expect} is expected: ${verdict.reason}`,
          remedy:
            verdict.route === 'none'
              ? "see whether the endpoint's port is right, and what the clients hold: 'ss -tnp'"
              : verdict.route === 'other'
                ? "if the address is an X-ENI's, see why no source names it (the stages endpointslice and imds; --vpc-cidr, --x-eni); else find out what it is: a tunnel, a load balancer of your own"
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

/** What to do about each code, in one sentence that holds on every node. */
export function adviceOf(code: FindingCode): string {
  return RULES.find((rule) => rule.code === code)?.advice ?? '';
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
    summary: `no look has ended for ${duration(ageMs)}`,
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

/** A look that passed its deadline lacks time, not rights. */
function blindRemedy(errors: readonly (string | null)[]): string {
  return errors.every((error) => error?.includes(DEADLINE_PASSED))
    ? "give the agent more CPU (its pod's limit), and see how many sockets the node has ('ss -s')"
    : `see that --path.procfs names the host's /proc; ${NEEDS}`;
}

/** How the node is let through to an X-ENI, by how far the probe came. */
function openTheWay({ address, port, failedStage, error }: ProbeSeen): string {
  if (failedStage === 'tls')
    return `Port ${port} is open and TLS does not complete: look for a firewall that opens TLS, at the path's MTU, and at the cluster's health ('aws eks describe-cluster --name CLUSTER --query cluster.[status,health]')`;
  const still = error?.includes('refused')
    ? `Nothing listens there: see whether it still is an X-ENI ('kubectl get endpointslice kubernetes -n default'), and take it out of --x-eni if it is not. Else let`
    : 'Let';
  return `${still} the nodes in on port ${port} of the X-ENIs' security group ('aws ec2 authorize-security-group-ingress --group-id SG_OF_THE_X_ENIS --protocol tcp --port ${port} --source-group SG_OF_THE_NODES'; 'aws ec2 describe-network-interfaces --filters Name=${address.family === 6 ? 'ipv6-addresses.ipv6-address' : 'addresses.private-ip-address'},Values=${address.text} --query NetworkInterfaces[].Groups' names the first); where that rule is there: the nodes' outbound rules, the network ACLs of both subnets (${port} there, 1024-65535 back), routes, firewalls and host policies`;
}

function stuckRemedy(route: Route, peer: Address, port: number): string {
  if (route === 'proxy')
    return `see whether the proxy ${peer.text} answers on port ${port} for this node; restart no client meanwhile`;
  if (route === 'public')
    return "look at the node's way out (NAT gateway, routes, outbound rules) and whether publicAccessCidrs holds its address ('aws eks describe-cluster --name CLUSTER --query cluster.resourcesVpcConfig'); restart no client meanwhile";
  return `restart no client and replace no node: let the nodes in on port ${port} of the X-ENIs' security group ('aws ec2 authorize-security-group-ingress --group-id SG_OF_THE_X_ENIS --protocol tcp --port ${port} --source-group SG_OF_THE_NODES'), then look at network ACLs, routes and firewalls; if ${peer.text} is not among the cluster's X-ENIs any more ('kubectl get endpointslice kubernetes -n default'), the client gives it up by itself and asks DNS again`;
}

/** The connections of all that are looked at; null where those of one are not known. */
function connectionsOf({ clients, tier }: Circumstances): readonly EndpointConnection[] | null {
  if (tier.attribution === 'none') return null;
  const looked = clients.filter(({ client }) => tier.attribution === 'process' || client === UNATTRIBUTED);
  return looked.every(({ told }) => told) ? looked.flatMap(({ connections }) => connections) : null;
}

/** One instance for each client that has connections that fit: the first stands for the others. */
function connectionFinding(
  now: Circumstances,
  fits: (connection: EndpointConnection) => boolean,
  describe: (connection: EndpointConnection) => Pick<Instance, 'summary' | 'remedy'>,
): readonly Instance[] | null {
  const fitting = connectionsOf(now)?.filter(fits);
  if (fitting === undefined) return null;
  const clients = [...new Set(fitting.map(({ client }) => client))];
  return clients.flatMap((client) => {
    const [first, ...more] = fitting.filter((one) => one.client === client);
    if (first === undefined) return [];
    const { summary, remedy } = describe(first);
    const others = more.length === 0 ? '' : ` (and ${more.length} more such)`;
    return [{ client, address: first.socket.peer.text, summary: summary + others, remedy }];
  });
}

function staleOf(now: Circumstances, fits: Parameters<typeof staleGroups>[1]): readonly StaleGroup[] | null {
  const facts: StaleFacts = { ...now, now: now.observation.at };
  return connectionsOf(now) === null ? null : staleGroups(facts, fits);
}

/** What failed probes of these addresses raise, from within the node's network; without any, null unless each of them has come as far as it takes to tell. */
function probeFinding(
  { settings, observation }: Circumstances,
  addresses: readonly Address[],
  {
    stages,
    tells,
    describe,
  }: {
    readonly stages: readonly ProbeSeen['failedStage'][];
    /** Whether the result clears its address. */
    readonly tells: (probe: ProbeSeen) => boolean;
    readonly describe: (probe: ProbeSeen) => Pick<Instance, 'summary' | 'remedy'>;
  },
): readonly Instance[] | null {
  if (agentObstacle(observation) !== null) return null;
  const { probes, at } = observation;
  const found = (probes ?? []).filter(
    (probe) => isCurrentProbe(probe, at, settings.probeIntervalMs) && holds(addresses, probe.address),
  );
  const failed = found.filter(({ failedStage }) => failedStage !== null && stages.includes(failedStage));
  if (failed.length > 0) return failed.map((probe) => ({ address: probe.address.text, ...describe(probe) }));
  const cleared = addresses.filter((address) =>
    found.some((probe) => probe.address.key === address.key && tells(probe)),
  );
  return addresses.length > 0 && cleared.length === addresses.length ? [] : null;
}

/** Whether DNS tells the agent now what it tells the node. */
function isDnsOfNode(observation: Observation): boolean {
  const { dns, at } = observation;
  return dns !== null && !isOldDns(dns, at) && resolversObstacle(observation) === null;
}

/** Without it being known which X-ENIs there are, nothing of theirs is clear. */
function unlessXEnisUnknown(
  { observation, known }: Circumstances,
  raised: readonly Instance[] | null,
): readonly Instance[] | null {
  const isClear = raised !== null && raised.length === 0;
  return isClear && xEnisObstacle(observation, known) !== null ? null : raised;
}

/** What needs ten seconds cannot be said before: null then. */
function afterTenSeconds({ observation, observedSince }: Circumstances): true | null {
  return observation.at.monotonicMs - observedSince.monotonicMs >= STUCK_AFTER_MS ? true : null;
}

function isFor({ observation }: Circumstances, since: Moment | null | undefined): boolean {
  return since != null && observation.at.monotonicMs - since.monotonicMs >= STUCK_AFTER_MS;
}
