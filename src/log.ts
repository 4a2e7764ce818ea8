/** The log: one line an event, as logfmt or JSON, whatever the event holds. */
import { escapeInvisible } from './model/text.ts';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export const LOG_FORMATS = ['logfmt', 'json'] as const;
export type LogFormat = (typeof LOG_FORMATS)[number];

type LogFields = Readonly<Record<string, string | number | boolean | null>>;

export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

export interface LogOptions {
  /** Events below it are dropped. */
  readonly level: LogLevel;
  readonly format: LogFormat;
  /** Called with one line, without its newline. */
  readonly write: (line: string) => void;
  readonly now: () => Date;
}

/** A log that writes `ts`, `level`, `msg` and the fields; a field never replaces one of these three. */
export function createLog(options: LogOptions): Log {
  const lowest = LOG_LEVELS.indexOf(options.level);
  const format = options.format === 'json' ? formatJson : formatLogfmt;

  function at(level: LogLevel): (message: string, fields?: LogFields) => void {
    if (LOG_LEVELS.indexOf(level) < lowest) return () => {};
    return (message, fields = {}) => {
      const head = { ts: options.now().toISOString(), level, msg: message };
      // Twice: the first puts them in front, the second keeps their values.
      options.write(format({ ...head, ...fields, ...head }));
    };
  }

  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

/**
 * Text in double quotes, as JSON writes it, with every character escaped that a terminal obeys or does not show:
 * what comes out is one line and cannot hide or forge anything.
 */
export function quote(text: string): string {
  return escapeInvisible(JSON.stringify(text));
}

function formatJson(fields: LogFields): string {
  return escapeInvisible(JSON.stringify(fields));
}

function formatLogfmt(fields: LogFields): string {
  return Object.entries(fields)
    .map(([key, value]) => {
      const text = String(value);
      const bare = /^[\w.:/+@%,-]+$/.test(text);
      return `${key.replaceAll(/[^\w.-]/g, '_')}=${bare ? text : quote(text)}`;
    })
    .join(' ');
}
