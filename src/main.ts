/** Command line and environment -> command -> exit code. The only file that touches the process. */
import { readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import os from 'node:os';
import { type Invocation, parseCommandLine } from './command-line.ts';
import { systemResolver } from './endpoint/dns.ts';
import { isEc2, readDmi } from './machine/dmi.ts';
import type { Output, Runtime } from './runtime.ts';

/** Put in by the build: package.json's version, and the commit. */
declare const __VERSION__: string;
declare const __REVISION__: string;

let stdoutError: Error | null = null;

process.exit(await main());

async function main(): Promise<number> {
  const runtime = realRuntime();
  const dmi = readDmi(textOf);
  const invocation = parseCommandLine(process.argv.slice(2), process.env, {
    hostname: os.hostname(),
    machine: { kernel: os.release(), arch: os.arch(), ...dmi },
    onEc2: isEc2(dmi.vendor, textOf),
    version: __VERSION__,
  });
  const unforeseen = ['check', 'watch', 'verify'].includes(invocation.kind) ? 2 : 1;
  try {
    const code = await run(invocation, runtime);
    // The agent only logs, and must end at once, whoever does not read its log.
    if (invocation.kind === 'agent') return code;
    await Promise.all([process.stdout, process.stderr].map(written));
    if (stdoutError === null) return code;
    process.stderr.write(`Cannot write: ${stdoutError.message}\n`);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : error}\n`);
  }
  return unforeseen;
}

/** Each command is a chunk of its own: it loads what it uses and nothing else. */
async function run(invocation: Invocation, runtime: Runtime): Promise<number> {
  switch (invocation.kind) {
    case 'text':
      runtime.stdout.write(`${invocation.text}\n`);
      return 0;
    case 'problems':
      runtime.stderr.write(`${invocation.text}\n`);
      return 64;
    case 'agent':
      return (await import('./commands/agent.ts')).runAgent(invocation.config, runtime);
    case 'check':
      return (await import('./commands/check.ts')).runCheck(invocation.config, runtime);
    case 'watch':
      return (await import('./commands/watch.ts')).runWatch(invocation.config, runtime);
    case 'verify':
      return (await import('./commands/verify.ts')).runVerify(invocation.config, runtime);
    case 'demo':
      return (await import('./commands/demo.ts')).runDemo(invocation.config, runtime);
  }
}

/** Resolves when all that was written before has left the process, or failed to: a pipe takes 64 KiB at a time. */
function written(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => stream.write('', () => resolve()));
}

function realRuntime(): Runtime {
  return {
    clock: () => ({ wallMs: Date.now(), monotonicMs: performance.now() }),
    resolve: systemResolver(),
    resolveAt: (server) => systemResolver([server]),
    // TLS is loaded when somebody is asked: not for a help text, nor for the demo.
    request: async (request) => (await import('./net/http.ts')).sendRequest(request),
    handshake: async (target) => (await import('./endpoint/handshake.ts')).handshake(target),
    readFile: (path) => readFile(path, 'utf8'),
    askMachine: async () => (await import('./machine/system-information.ts')).askSystemInformation(),
    random: Math.random,
    stdout: outputOf(process.stdout),
    stderr: outputOf(process.stderr),
    onSignal(signals, handler) {
      for (const signal of signals) process.on(signal, handler);
      return () => {
        for (const signal of signals) process.off(signal, handler);
      };
    },
    suspend: () => void process.kill(process.pid, 'SIGSTOP'),
    selfUsage() {
      const { user, system } = process.cpuUsage();
      return {
        revision: __REVISION__,
        nodeVersion: process.version,
        cpuSeconds: (user + system) / 1e6,
        residentBytes: process.memoryUsage.rss(),
        openFds: countOpenFds(),
        startTimeSeconds: performance.timeOrigin / 1000,
      };
    },
  };
}

function outputOf(stream: NodeJS.WriteStream): Output {
  let isClosed = false;
  stream.on('error', (error: NodeJS.ErrnoException) => {
    isClosed = true;
    // A reader that has gone (`| head`) is no error of ours.
    if (error.code !== 'EPIPE' && stream === process.stdout) stdoutError = error;
  });
  const isTerminal = stream.isTTY === true;
  const canReplace = isTerminal && process.env['TERM'] !== 'dumb';
  return {
    isTerminal,
    // A terminal that does not know its size (0) is taken for one as they all once were.
    get columns() {
      return canReplace ? stream.columns || 80 : null;
    },
    get rows() {
      return canReplace ? stream.rows || 24 : null;
    },
    get isClosed() {
      return isClosed;
    },
    color: isTerminal && stream.hasColors(),
    write: (text) => stream.write(text),
  };
}

/** Null where it cannot be read. */
function textOf(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

/** Null where the system has no /proc (macOS). This is the agent's own process, not the node's that it looks at. */
function countOpenFds(): number | null {
  try {
    return readdirSync('/proc/self/fd').length - 1;
  } catch {
    return null;
  }
}
