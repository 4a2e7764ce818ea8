/** Whether what lies here is what the tag says. */

import { sectionOf } from './changelog.ts';
import type { Shell } from './shell.ts';

/** Throws, with every problem. A dry run prints the questions and judges nothing. */
export function checkReadiness(shell: Shell, version: string, changelog: string): void {
  const tag = `v${version}`;
  const changes = shell.ask(['git', 'status', '--porcelain'], 'changes');
  const tags = shell.ask(['git', 'tag', '--points-at', 'HEAD'], 'tags');
  if (shell.isDryRun) return;

  const problems: string[] = [];
  if (changes !== '') {
    const files = changes.split('\n').map((line) => line.trim().replace(/^\S+\s+/, ''));
    problems.push(
      `${files.length} uncommitted: ${files.slice(0, 3).join(', ')}; commit or remove what is not meant`,
    );
  }
  if (!tags.split('\n').includes(tag)) {
    const others = tags === '' ? 'none' : tags.split('\n').join(', ');
    problems.push(`HEAD has no tag "${tag}", package.json's version (it has: ${others}); git tag -s ${tag}`);
  }
  try {
    sectionOf(changelog, version);
  } catch (error) {
    problems.push(error instanceof Error ? error.message : String(error));
  }
  if (problems.length > 0) throw new Error(`Cannot release ${version}: ${problems.join('; ')}`);
}
