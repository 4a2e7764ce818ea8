/** What a node status says to those who judge a fleet. */
import type { ConnectionAnswer, NodeAnswer } from '../model/fleet/observation.ts';
import type { ClientStatus, ConnectionStatus, NodeStatus } from '../model/status.ts';

const MAX_CONNECTIONS = 16;

/** `ageSeconds`: from the look that the status is made of to now. */
export function answerOf(status: NodeStatus, ageSeconds: number): NodeAnswer {
  return {
    kind: 'answer',
    ageSeconds,
    version: status.version,
    hostname: status.endpoint?.hostname.toLowerCase() ?? null,
    route: status.route,
    routeReason: status.routeReason,
    gates: status.gates,
    findings: status.findings.map(({ code, severity, client, summary, remedy }) => ({
      code,
      severity,
      client,
      summary,
      remedy,
    })),
    connections: status.clients
      .flatMap((client) => connectionsOf(client, Date.parse(status.observedAt)))
      .sort((one, other) => weightOf(one) - weightOf(other))
      .slice(0, MAX_CONNECTIONS),
  };
}

/** Those that carry something and are not where they should be. */
function connectionsOf({ client, connections }: ClientStatus, observedMs: number): ConnectionAnswer[] {
  return (connections ?? [])
    .filter(({ state, route, stale }) => state === 'established' && (route !== 'x-eni' || stale === true))
    .map((connection) => ({
      client,
      peer: connection.peer,
      route: connection.route,
      staleSeconds: staleSeconds(connection, observedMs),
    }));
}

/** Both times are of the agent's clock. */
function staleSeconds({ stale, staleSince }: ConnectionStatus, observedMs: number): number | null {
  return stale === true && staleSince !== null
    ? Math.max(0, (observedMs - Date.parse(staleSince)) / 1000)
    : null;
}

function weightOf({ route }: ConnectionAnswer): number {
  return route === 'public' ? 0 : 1;
}
