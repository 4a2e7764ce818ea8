/** `agent`: looks in the background and serves what it sees, until SIGTERM or SIGINT. */
import type { Config } from '../config.ts';
import type { Log } from '../log.ts';
import { messageOf } from '../model/errors.ts';
import type { Finding, NodeStatus } from '../model/status.ts';
import { startServer } from '../output/server.ts';
import { type Runtime, untilSignal } from '../runtime.ts';
import { assembleAgent, contentOf, logOf } from './assembly.ts';

/** Resolves with the exit code: 0 when a signal ended it, 1 when it could not start. */
export async function runAgent(config: Config, runtime: Runtime): Promise<number> {
  const log = logOf(config, runtime);
  const agent = assembleAgent(config, runtime, {
    log,
    onStatus: (status, before) => logChanges(log, status, before),
  });
  const { version, nodeName: node, expect, attribution } = config.settings;
  log.info('starting', { version, node, expect, attribution });
  const ended = untilSignal(runtime, ['SIGTERM', 'SIGINT']);
  try {
    const server = await startServer({
      listen: config.listenAddresses,
      content: contentOf(agent, runtime),
      log,
    });
    for (const { host, port } of server.addresses) log.info('listening', { host, port });
    const offReload = runtime.onSignal(['SIGHUP'], () => {
      log.info('reading configuration files anew');
      void agent.reload();
    });
    agent.start();
    log.info('ending', { signal: await ended });
    offReload();
    agent.stop();
    await server.close();
    return 0;
  } catch (error) {
    agent.stop();
    log.error('cannot start', { error: messageOf(error) });
    return 1;
  }
}

/** Logs what a look found changed: events, findings, and stages that fail or succeed again. */
export function logChanges(log: Log, status: NodeStatus, before: NodeStatus | null): void {
  const ofThisLook = status.events.filter(({ at }) => at === status.observedAt);
  for (const { event, detail } of ofThisLook.toReversed()) {
    log.info(event, event === 'route' ? { detail, reason: status.routeReason } : { detail });
  }
  const nameOf = ({ code, client }: Finding) => `${code} ${client ?? ''}`;
  const raised = new Set(before?.findings.map(nameOf));
  for (const finding of status.findings.filter((one) => !raised.has(nameOf(one)))) {
    const { code, severity, client, summary } = finding;
    log[severity === 'info' ? 'info' : 'warn']('finding raised', { code, client, summary });
  }
  const still = new Set(status.findings.map(nameOf));
  for (const finding of before?.findings.filter((one) => !still.has(nameOf(one))) ?? []) {
    // One that cannot be evaluated any more is not clear either.
    if (status.evaluated.includes(finding.code))
      log.info('finding cleared', { code: finding.code, client: finding.client });
  }
  for (const { stage, success, error } of status.stages) {
    const previous = before?.stages.find((one) => one.stage === stage);
    if (!success && previous?.error !== error) log.warn('a stage failed', { stage, error });
    if (success && previous?.success === false) log.info('a stage succeeds again', { stage });
  }
}
