/** What several tests ask of an answer of the agent. */
import { expect } from 'vitest';
import {
  type ConnectionStatus,
  type Finding,
  type FindingCode,
  GATE_STATES,
  type GateName,
  type GateState,
  NODE_ROUTES,
  type NodeRoute,
  ROUTES,
} from '../../../src/model/status.ts';
import type { Outcome } from './command.ts';
import type { View, Views } from './views.ts';

export type Counts = Readonly<Record<string, number>>;

/** The node route, in the status and in the metrics, where exactly one is 1 and every other 0. */
export function expectRoute({ status, metrics }: View, route: NodeRoute): void {
  expect(status.route, status.routeReason).toBe(route);
  for (const each of NODE_ROUTES) {
    expect(metrics.get('node_route', { route: each }), each).toBe(each === route ? 1 : 0);
  }
}

/** A client's established endpoint connections by route (those not named: none), and how many are stale. */
export function expectConnections(
  { status, metrics }: View,
  client: string,
  { routes, stale }: { readonly routes: Counts; readonly stale: number },
): void {
  const connections = status.clients.find((each) => each.client === client)?.connections ?? [];
  const established = connections.filter(({ state }) => state === 'established');
  for (const route of ROUTES) {
    const expected = routes[route] ?? 0;
    expect(established.filter((each) => each.route === route).length, `${client} ${route}`).toBe(expected);
    expect(metrics.get('connections', { client, route }), `${client} ${route}`).toBe(expected);
  }
  expect(established.filter((each) => each.stale === true).length, `${client} stale`).toBe(stale);
  expect(metrics.get('stale_connections', { client }), `${client} stale`).toBe(stale);
}

/** Raised findings as `code severity client`, in the status; each of their codes is 1 in the metrics. */
export function expectFindings({ status, metrics }: View, findings: readonly string[]): void {
  const raised = status.findings.map(({ code, severity, client }) =>
    [code, severity, ...(client === null ? [] : [client])].join(' '),
  );
  expect(raised.sort()).toEqual([...findings].sort());
  const hot = new Set(status.findings.map(({ code }) => code));
  for (const { code, severity } of status.findings) {
    expect(metrics.get('finding', { code, severity }), code).toBe(1);
  }
  for (const line of metrics.text.matchAll(/^eks_endpoint_finding\{code="(\w+)",severity="\w+"\} 1$/gm)) {
    expect([...hot]).toContain(line[1]);
  }
}

/** `check` exits so, and its table has a line of each client on its route. */
export function expectCheck(
  { code, stdout, stderr }: Outcome,
  expected: { readonly code: number; readonly routes: Readonly<Record<string, string>> },
): void {
  expect(code, stdout + stderr).toBe(expected.code);
  const sockets = stdout.split('\n').filter((line) => line.startsWith('ESTAB '));
  for (const [client, route] of Object.entries(expected.routes)) {
    const lines = sockets.filter((line) => line.includes(` ${client} `) && line.includes(` ${route} `));
    expect(lines.length, `${client} on ${route} in:\n${stdout}${stderr}`).toBeGreaterThan(0);
  }
}

/** No answer so far said `x-eni`: not one scrape, not one status. */
export function expectNeverXEni(agent: Views): void {
  expect(agent.verdicts.length).toBeGreaterThan(0);
  expect(agent.verdicts).not.toContain('x-eni');
  expect(agent.verdicts).not.toContain('not one-hot');
}

/** A gate, in the status and in the metrics, where exactly one of its states is 1. */
export function expectGate({ status, metrics }: View, gate: GateName, state: GateState): void {
  const found = status.gates.find((each) => each.gate === gate);
  expect(found?.state, `${gate}: ${found?.reason}`).toBe(state);
  expect(found?.reason, gate).toMatch(/\w/);
  for (const each of GATE_STATES) {
    expect(metrics.get('gate', { gate, state: each }), `${gate} ${each}`).toBe(each === state ? 1 : 0);
  }
}

/** A finding is raised, here and in the metrics; gives it. */
export function expectRaised({ status, metrics }: View, code: FindingCode): Finding {
  const found = status.findings.find((each) => each.code === code);
  if (found === undefined)
    throw new Error(`"${code}" is not raised: ${codesOf({ status }).join(', ') || 'none'}`);
  expect(metrics.get('finding', { code, severity: found.severity })).toBe(1);
  expect(status.evaluated).toContain(code);
  expect(found.runbook).toContain(code);
  return found;
}

/** A finding was evaluated, and is not raised. */
export function expectClear({ status, metrics }: View, code: FindingCode): void {
  expect(codesOf({ status })).not.toContain(code);
  expect(status.evaluated).toContain(code);
  expect(metrics.text).toMatch(
    new RegExp(`^eks_endpoint_finding\\{code="${code}",severity="\\w+"\\} 0$`, 'm'),
  );
}

export function codesOf({ status }: Pick<View, 'status'>): readonly string[] {
  return status.findings.map(({ code }) => code);
}

/** The endpoint connections of every client. */
export function connectionsOf({ status }: Pick<View, 'status'>): readonly ConnectionStatus[] {
  return status.clients.flatMap(({ connections }) => connections ?? []);
}

/** The error of a stage that failed. */
export function errorOf({ status }: Pick<View, 'status'>, stage: string): string {
  const found = status.stages.find((each) => each.stage === stage);
  expect(found, `the stage ${stage}`).toMatchObject({ success: false });
  return found?.error ?? '';
}
