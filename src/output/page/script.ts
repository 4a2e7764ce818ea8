/**
 * The page's script, as text: it asks for the page anew and takes over what changed. Nothing else on the page moves:
 * focus, selection, what is unfolded and where one has scrolled to stay. While there is no answer it says so, and the
 * page's colours go (`html.lost`).
 */
export const SCRIPT = `'use strict';
(() => {
  const EVERY_MS = 5000;
  const ANSWER_WITHIN_MS = 10000;
  const LOST_AFTER_MS = 20000;
  const root = document.documentElement;
  const icon = document.querySelector('link[rel=icon]');
  const banner = document.getElementById('lost');
  const lostTo = document.getElementById('lost-to');
  const said = document.getElementById('said');
  let answeredAt = Date.now();
  let failed = false;
  let asking = false;
  let timer;
  root.classList.add('live');

  function showAge() {
    const ageMs = Math.max(0, Date.now() - answeredAt);
    const lost = failed || ageMs > LOST_AFTER_MS;
    root.classList.toggle('lost', lost);
    if (banner.hidden === lost) banner.hidden = !lost;
    if (!lost) return;
    document.title = 'No answer - ' + document.body.dataset.node;
    if (icon.getAttribute('href') !== icon.dataset.lost) icon.href = icon.dataset.lost;
    document.getElementById('lost-for').textContent = Math.round(ageMs / 1000) + ' s';
  }

  async function refresh() {
    clearTimeout(timer);
    if (asking || document.hidden) return;
    asking = true;
    let other = '';
    try {
      const response = await fetch(location.href, { cache: 'no-store', signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
      const next = new DOMParser().parseFromString(await response.text(), 'text/html');
      // Its script is its end.
      if (!response.ok || !next.body.dataset.build || !next.querySelector('body > script')) throw new Error('not the whole page');
      const { node } = next.body.dataset;
      if (node && document.body.dataset.node && node !== document.body.dataset.node) {
        // A forwarded port that moved, an address of several agents: what that one says is not of this node.
        other = ' ' + node + ' answers here now: reload to see it.';
        throw new Error('another node');
      }
      // Another release of the agent has another script.
      if (next.body.dataset.build !== document.body.dataset.build) return location.reload();
      morph(document.querySelector('main'), next.querySelector('main'));
      morph(document.querySelector('header'), next.querySelector('header'));
      document.title = next.title;
      document.body.dataset.node = node;
      morph(icon, next.querySelector('link[rel=icon]'));
      answeredAt = Date.now();
      failed = false;
    } catch {
      failed = true;
    } finally {
      asking = false;
      if (lostTo.textContent !== other) lostTo.textContent = other;
      showAge();
      timer = setTimeout(refresh, EVERY_MS);
    }
  }

  /** Makes one element as another is, by the least changes; children of a data-key are the same by it. */
  function morph(from, to) {
    for (const { name, value } of [...to.attributes]) {
      if (name !== 'open' && from.getAttribute(name) !== value) from.setAttribute(name, value);
    }
    for (const { name } of [...from.attributes]) {
      if (name !== 'open' && !to.hasAttribute(name)) from.removeAttribute(name);
    }
    const keyOf = (node) => node.dataset?.key;
    const wantedKeys = new Set([...to.children].map(keyOf));
    for (const child of [...from.children]) if (keyOf(child) && !wantedKeys.has(keyOf(child))) child.remove();
    const keyed = new Map([...from.children].filter(keyOf).map((child) => [keyOf(child), child]));
    let place = from.firstChild;
    for (const wanted of [...to.childNodes]) {
      const same = keyed.get(keyOf(wanted));
      keyed.delete(keyOf(wanted));
      if (same && same.nodeName === wanted.nodeName) {
        // Who is moved loses the focus: what stands before it goes instead.
        while (place && place !== same && !keyOf(place)) place = removed(place);
        if (same === place) place = place.nextSibling;
        else from.insertBefore(same, place);
        morph(same, wanted);
      } else if (place && place.nodeName === wanted.nodeName && !keyOf(place) && !keyOf(wanted)) {
        if (place.nodeType === Node.ELEMENT_NODE) morph(place, wanted);
        else if (place.nodeValue !== wanted.nodeValue) place.nodeValue = wanted.nodeValue;
        place = place.nextSibling;
      } else {
        from.insertBefore(document.importNode(wanted, true), place);
      }
    }
    while (place) place = removed(place);
  }

  /** Removes a node; the one behind it. */
  function removed(node) {
    const next = node.nextSibling;
    node.remove();
    return next;
  }

  async function copy(source) {
    try {
      await navigator.clipboard.writeText(source.textContent);
      return 'Copied';
    } catch {
      // There is no clipboard on http://NODE-IP.
      getSelection().selectAllChildren(source);
      return document.execCommand('copy') ? 'Copied' : 'Selected: copy it with your keyboard';
    }
  }

  document.addEventListener('click', async (event) => {
    const button = event.target.closest('button.copy');
    if (!button) return;
    said.textContent = await copy(button.previousElementSibling);
    setTimeout(() => (said.textContent = ''), 4000);
  });
  document.addEventListener('visibilitychange', () => {
    showAge();
    refresh();
  });
  window.addEventListener('pageshow', ({ persisted }) => persisted && refresh());
  setInterval(showAge, 1000);
  timer = setTimeout(refresh, EVERY_MS);
})();
`;
