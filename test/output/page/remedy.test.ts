import { expect, test } from 'vitest';
import { renderProse, renderRemedy } from '../../../src/output/page/remedy.ts';

function commandsOf(text: string): readonly (string | undefined)[] {
  return [...renderProse(text).text.matchAll(/<code>(.*?)<\/code>/g)].map(([, command]) => command);
}

test.each([
  ["or else 'systemctl restart kubelet' on the node", ['systemctl restart kubelet']],
  ["look at the clock ('timedatectl').", ['timedatectl']],
  ["ask 'dig a @1', 'dig a @2'", ['dig a @1', 'dig a @2']],
  ["'ss -K dst 1' (it lists), or else 'kubectl get pod'; then on", ['ss -K dst 1', 'kubectl get pod']],
  // An apostrophe opens no command, and what a program says is none.
  ["the node's own and the nodes' outbound rules", []],
  ["('No resources found': that is not the node's name)", []],
])('the commands of %j', (text, commands) => {
  expect(commandsOf(text)).toEqual(commands);
});

test('no text is lost', () => {
  const text = "let the nodes' in ('aws a --b'; 'aws c' names the first); that's all";
  const shown = renderProse(text)
    .text.replace(/<[^>]*>/g, '')
    .replaceAll('&#39;', "'");
  expect(shown).toBe(`${text.replace(/'(aws [^']*)'/g, '$1')}.`);
});

test('each command has a button that says which it copies, and all of it has one', () => {
  expect(renderProse("'ss -s'").text).toContain(
    '<button type="button" class="copy" aria-label="Copy the command ss -s"',
  );
  expect(renderRemedy('wait').text).toMatch(/<p>wait\.<\/p><button type="button" class="copy all">/);
});
