/** `agent`: looks in the background and serves what it sees, until SIGTERM or SIGINT. */
import type { Config } from '../config.ts';
import type { Log } from '../log.ts';
import { changesBetween } from '../model/changes.ts';
import { messageOf } from '../model/errors.ts';
import type { NodeStatus } from '../model/status.ts';
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
  for (const { kind, subject, client, severity, detail, reason } of changesBetween(before, status)) {
    switch (kind) {
      case 'route':
        log.info(kind, { detail, reason });
        break;
      case 'dns':
      case 'x-eni':
      case 'connection-opened':
      case 'connection-closed':
      case 'client':
        log.info(kind, { detail });
        break;
      case 'finding-raised':
        log[severity === 'info' ? 'info' : 'warn']('finding raised', {
          code: subject,
          client,
          summary: reason,
        });
        break;
      case 'finding-cleared':
        log.info('finding cleared', { code: subject, client });
        break;
      case 'stage-failed':
        log.warn('a stage failed', { stage: subject, error: reason });
        break;
      case 'stage-succeeds':
        log.info('a stage succeeds again', { stage: subject });
        break;
    }
  }
}
