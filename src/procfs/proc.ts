import * as fs from 'node:fs';
import type { Pauses } from './pauses.ts';
import type { TcpTableParser } from './tcp.ts';

/** How many directory entries are read at once: 256 descriptors take the kernel about half a millisecond. */
const ENTRIES_AT_ONCE = 256;
const MAX_FILE_BYTES = 1024 * 1024;
/** What is cut off might name a proxy; a pod with a variable for each of 1,000 Services has less. */
const MAX_ENVIRON_BYTES = 256 * 1024;
/** Linux's own limit for the symbolic links of one path (MAXSYMLINKS). */
const MAX_LINKS = 40;
/** Unit of the times in /proc/<pid>/stat: 1/USER_HZ seconds, 100 on every architecture that EKS has. */
export const MS_PER_TICK = 10;

/** A read of /proc that was refused or failed. */
export class ProcReadError extends Error {
  /** The errno's name, `EACCES` for example. */
  readonly code: string;

  constructor(path: string, code: string, detail = code) {
    super(`Cannot read "${path}": ${detail}`);
    this.name = 'ProcReadError';
    this.code = code;
  }
}

/**
 * A /proc file system, or a tree that looks like one. The only code that opens it.
 *
 * What is not there - the process vanished, the file does not exist - is normal: null, or false for a table.
 * Whatever else keeps a read from its end throws a ProcReadError; those that the system refused or failed count in
 * `readErrors`.
 * Reads are synchronous, because that takes a seventh of the time; where there can be many of them, the method
 * takes `Pauses` and stops in between.
 */
export class Proc {
  readonly root: string;
  readonly #readErrors: Record<string, number> = { EACCES: 0 };
  readonly #buffer = Buffer.alloc(64 * 1024);

  constructor(root: string) {
    this.root = root;
  }

  /** Reads that were refused or failed, by errno name, since this object was made. */
  get readErrors(): Readonly<Record<string, number>> {
    return { ...this.#readErrors };
  }

  /** Every process, one after the other. Throws where the root itself cannot be listed. */
  *pids(): Generator<number, void, undefined> {
    let directory: fs.Dir;
    try {
      directory = fs.opendirSync(this.root, { bufferSize: ENTRIES_AT_ONCE });
    } catch (error) {
      throw this.#failure(this.root, error);
    }
    for (const name of this.#names(directory, this.root)) {
      if (/^[1-9]\d*$/.test(name)) yield Number(name);
    }
  }

  /** The kernel's name of the process, at most 15 bytes. */
  comm(pid: number): string | null {
    return this.#text(`${pid}/comm`)?.replace(/\n$/, '') ?? null;
  }

  uids(pid: number): { real: number; effective: number } | null {
    const status = this.#text(`${pid}/status`);
    if (status === null) return null;
    const [, real, effective] = /^Uid:\s+(\d+)\s+(\d+)/m.exec(status) ?? [];
    if (real === undefined) throw this.#malformed(`${pid}/status`, 'no line "Uid:"');
    return { real: Number(real), effective: Number(effective) };
  }

  /**
   * When the process started, in ticks after the boot (field 22, proc_pid_stat(5)). Null for a zombie too: it
   * has neither descriptors nor a network namespace any more.
   */
  startTicks(pid: number): number | null {
    const stat = this.#text(`${pid}/stat`);
    if (stat === null) return null;
    // Field 2 is the comm in parentheses and may hold blanks and parentheses itself.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return null;
    const ticks = fields[22 - 3];
    if (ticks === undefined || !/^\d{1,14}$/.test(ticks))
      throw this.#malformed(`${pid}/stat`, 'no start time');
    return Number(ticks);
  }

  /** When the machine booted, by the wall clock. */
  bootTimeMs(): number {
    const stat = this.#text('stat');
    const seconds = /^btime (\d{1,11})$/m.exec(stat ?? '')?.[1];
    if (seconds === undefined) throw this.#malformed('stat', 'no line "btime"');
    return Number(seconds) * 1000;
  }

  /** The network namespace, as `net:[4026531840]`. */
  netns(pid: number | 'self'): string | null {
    const path = `${this.root}/${pid}/ns/net`;
    return this.#ifThere(path, () => fs.readlinkSync(path));
  }

  cmdline(pid: number): string[] | null {
    const text = this.#text(`${pid}/cmdline`);
    if (text === null) return null;
    return text === '' ? [] : text.replace(/\0$/, '').split('\0');
  }

  /**
   * The environment that the process began with (proc_pid_environ(5)), at most 256 KiB. Where a name comes twice its
   * first value counts, as to Go.
   */
  environ(pid: number): Readonly<Record<string, string>> | null {
    const path = `${this.root}/${pid}/environ`;
    const file = this.#ifThere(path, () => fs.openSync(path, 'r'));
    if (file === null) return null;
    const pieces: Buffer[] = [];
    try {
      let bytes = 0;
      for (let length = this.#readPiece(file, path); length > 0; length = this.#readPiece(file, path)) {
        bytes += length;
        if (bytes > MAX_ENVIRON_BYTES) throw new ProcReadError(path, 'EFBIG', 'larger than 256 KiB');
        pieces.push(Buffer.from(this.#buffer.subarray(0, length)));
      }
    } finally {
      fs.closeSync(file);
    }
    const variables = Buffer.concat(pieces).toString().split('\0').reverse();
    return Object.fromEntries(
      variables.flatMap((variable) => {
        const equals = variable.indexOf('=');
        return equals > 0 ? [[variable.slice(0, equals), variable.slice(equals + 1)]] : [];
      }),
    );
  }

  /** The inodes of this very process's sockets: some dozens at most. */
  ownSocketInodes(): ReadonlySet<number> {
    const path = `${this.root}/self/fd`;
    const names = this.#ifThere(path, () => fs.readdirSync(path)) ?? [];
    return new Set(names.flatMap((name) => this.#socketInode(path, name) ?? []));
  }

  /** The inodes of all sockets among the descriptors. */
  async socketInodes(pid: number, pauses: Pauses): Promise<Set<number> | null> {
    const path = `${this.root}/${pid}/fd`;
    const directory = this.#ifThere(path, () => fs.opendirSync(path, { bufferSize: ENTRIES_AT_ONCE }));
    if (directory === null) return null;
    const inodes = new Set<number>();
    for (const name of this.#names(directory, path)) {
      const inode = this.#socketInode(path, name);
      if (inode !== null) inodes.add(inode);
      if (pauses.due()) await pauses.pause();
    }
    return inodes;
  }

  /**
   * Feeds one TCP table to the parser, from its beginning to its end; false where there is none: no such
   * process, or a kernel without IPv6. Opens it anew and never seeks: kernels 6.6.102-104, 6.12.42-45 and 6.14.0
   * lose rows then.
   */
  async readTable(
    pid: number | 'self',
    table: 'tcp' | 'tcp6',
    parser: Pick<TcpTableParser, 'push'>,
    pauses: Pauses,
  ): Promise<boolean> {
    const path = `${this.root}/${pid}/net/${table}`;
    const file = this.#ifThere(path, () => fs.openSync(path, 'r'));
    if (file === null) return false;
    try {
      for (;;) {
        const length = this.#readPiece(file, path);
        if (length === 0) return true;
        parser.push(this.#buffer.subarray(0, length));
        if (pauses.due()) await pauses.pause();
      }
    } finally {
      fs.closeSync(file);
    }
  }

  /**
   * The file at `path` as the process sees it: under its root directory, a relative path under its working
   * directory. Symbolic links are followed by hand, because the kernel would follow an absolute one from our
   * root. At most 1 MiB, and regular files only.
   */
  readFileUnderRoot(pid: number, path: string): Uint8Array | null {
    const found = this.#resolveUnderRoot(pid, path);
    if (found === null) return null;
    // O_NONBLOCK: if it became a FIFO in between, opening it must not wait for a writer.
    const flags = fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK;
    const file = this.#ifThere(found, () => fs.openSync(found, flags));
    if (file === null) return null;
    try {
      if (!fs.fstatSync(file).isFile()) throw new ProcReadError(found, 'EINVAL', 'not a regular file');
      const pieces: Buffer[] = [];
      let bytes = 0;
      for (;;) {
        const length = this.#readPiece(file, found);
        if (length === 0) return Buffer.concat(pieces);
        bytes += length;
        if (bytes > MAX_FILE_BYTES) throw new ProcReadError(found, 'EFBIG', 'larger than 1 MiB');
        pieces.push(Buffer.from(this.#buffer.subarray(0, length)));
      }
    } finally {
      fs.closeSync(file);
    }
  }

  /** Our path of the process's path, without symbolic links; null where it does not exist. */
  #resolveUnderRoot(pid: number, path: string): string | null {
    const root = `${this.root}/${pid}/root`;
    const cwdLink = `${this.root}/${pid}/cwd`;
    const cwd = path.startsWith('/') ? '' : this.#ifThere(cwdLink, () => fs.readlinkSync(cwdLink));
    if (cwd === null) return null;
    const ahead = `${cwd}/${path}`.split('/').reverse();
    let behind: string[] = [];
    let links = 0;
    for (let name = ahead.pop(); name !== undefined; name = ahead.pop()) {
      if (name === '' || name === '.') continue;
      if (name === '..') {
        behind.pop();
        continue;
      }
      const here = [root, ...behind, name].join('/');
      const target = this.#ifThere(here, () =>
        fs.lstatSync(here).isSymbolicLink() ? fs.readlinkSync(here) : '',
      );
      if (target === null) return null;
      if (target === '') {
        behind.push(name);
        continue;
      }
      links += 1;
      if (links > MAX_LINKS) throw new ProcReadError(here, 'ELOOP', 'too many symbolic links');
      if (target.startsWith('/')) behind = [];
      ahead.push(...target.split('/').reverse());
    }
    return [root, ...behind].join('/');
  }

  /** Null where the descriptor is no socket, or gone. */
  #socketInode(directory: string, name: string): number | null {
    const link = this.#ifThere(directory, () => fs.readlinkSync(`${directory}/${name}`));
    const inode = /^socket:\[(\d+)\]$/.exec(link ?? '')?.[1];
    return inode === undefined ? null : Number(inode);
  }

  *#names(directory: fs.Dir, path: string): Generator<string, void, undefined> {
    try {
      for (;;) {
        const entry = this.#ifThere(path, () => directory.readSync());
        if (entry === null) return;
        yield entry.name;
      }
    } finally {
      directory.closeSync();
    }
  }

  #text(name: string): string | null {
    const path = `${this.root}/${name}`;
    return this.#ifThere(path, () => fs.readFileSync(path, 'utf8'));
  }

  /** Into our buffer; 0 at the end. */
  #readPiece(file: number, path: string): number {
    try {
      return fs.readSync(file, this.#buffer, 0, this.#buffer.length, null);
    } catch (error) {
      throw this.#failure(path, error);
    }
  }

  #ifThere<Found>(path: string, read: () => Found): Found | null {
    try {
      return read();
    } catch (error) {
      const code = errnoOf(error);
      if (code === 'ENOENT' || code === 'ESRCH') return null;
      throw this.#failure(path, error);
    }
  }

  #failure(path: string, error: unknown): ProcReadError {
    const code = errnoOf(error);
    this.#readErrors[code] = (this.#readErrors[code] ?? 0) + 1;
    return new ProcReadError(path, code);
  }

  #malformed(name: string, detail: string): ProcReadError {
    return new ProcReadError(`${this.root}/${name}`, 'EINVAL', detail);
  }
}

function errnoOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'UNKNOWN';
}
