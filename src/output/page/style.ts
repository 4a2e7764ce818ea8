/** The page's style, as text: two themes, one column that becomes wide, colours only by `Tone`. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --page: #f4f6f8; --card: #fff; --text: #17212b; --muted: #54616e; --line: #d5dce3; --link: #0b5cad;
  --good: #0b6b3a; --good-back: #e3f4ea; --bad: #a81e1b; --bad-back: #fdecea; --warn: #7a4b00; --warn-back: #fdf2da;
  --calm: #1b4f91; --calm-back: #e7f0fb; --unknown: #4a5561; --unknown-back: #e9edf1;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #0e1319; --card: #171e26; --text: #e6edf3; --muted: #a3b1bf; --line: #2d3843; --link: #8cc2ff;
    --good: #6fe0a0; --good-back: #10301f; --bad: #ffa198; --bad-back: #3d1a18; --warn: #f0c674; --warn-back: #352a10;
    --calm: #93c2f7; --calm-back: #15283f; --unknown: #b7c3cf; --unknown-back: #252e38;
  }
}
/* Nothing is good or bad of which there is no news. */
.lost main, main.outdated {
  --good: var(--unknown); --good-back: var(--unknown-back); --bad: var(--unknown); --bad-back: var(--unknown-back);
  --warn: var(--unknown); --warn-back: var(--unknown-back); --calm: var(--unknown); --calm-back: var(--unknown-back);
}
.good { --tone: var(--good); --back: var(--good-back) }
.bad { --tone: var(--bad); --back: var(--bad-back) }
.warn { --tone: var(--warn); --back: var(--warn-back) }
.calm { --tone: var(--calm); --back: var(--calm-back) }
.unknown { --tone: var(--unknown); --back: var(--unknown-back) }

* { box-sizing: border-box }
body { margin: 0; background: var(--page); color: var(--text); font: 1rem/1.5 system-ui, "Segoe UI", Roboto, sans-serif; overflow-wrap: anywhere }
header, main, footer { max-width: 72rem; margin: 0 auto; padding: 0 1rem }
header { display: flex; flex-wrap: wrap; gap: 0 1rem; justify-content: space-between; align-items: baseline; padding-top: 1rem }
header p { margin: 0 }
main { display: grid; gap: 1rem; margin-block: .75rem 1.5rem; grid-template-columns: minmax(0, 1fr) }
section { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: 1rem 1.25rem; min-width: 0 }
h1, h2, h3, h4, p, dl, ul, ol { margin: 0 }
h2 { font-size: 1.1rem; margin-bottom: .6rem }
h3 { font-size: 1rem; display: flex; flex-wrap: wrap; gap: .25rem .6rem; align-items: center }
h4 { font-size: .85rem; color: var(--muted); margin-top: .5rem }
a { color: var(--link) }
code { font: .875em/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; border-radius: .2rem }
.muted, .about { color: var(--muted) }
.about { font-weight: normal; font-size: .9em }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap }
.skip { position: absolute; left: 1rem; top: -4rem; background: var(--card); padding: .5rem 1rem; border-radius: .3rem }
.skip:focus { top: .5rem; z-index: 1 }
.icons { position: absolute; width: 0; height: 0 }
.icon { width: 1.1em; height: 1.1em; flex: none; fill: none; stroke: currentColor; stroke-width: 2.2; stroke-linecap: round; stroke-linejoin: round }
.plain { list-style: none; padding: 0 }
.plain li { margin: .15rem 0 }

.headline { background: var(--back); border: 1px solid var(--tone); border-left-width: .6rem; padding: 1.25rem }
.headline h1 { display: flex; align-items: center; gap: .6rem; color: var(--tone); font-size: clamp(2.2rem, 9vw, 3.4rem); line-height: 1.1 }
.headline .icon { stroke-width: 1.9 }
.meaning { font-size: 1.15rem; margin: .35rem 0 .9rem }
.headline dt { color: var(--text) }
.todo { background: var(--card); border-radius: .4rem; padding: .75rem 1rem; margin-top: 1rem }
.todo[class*=" "] { border-left: .35rem solid var(--tone) }
.todo h2 { font-size: 1rem; margin-bottom: .35rem; display: flex; flex-wrap: wrap; gap: .25rem .6rem; align-items: center }
.lost .looked { visibility: hidden }
.facts { display: grid; gap: .6rem 1.5rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 13rem), 1fr)) }
.facts .wide { grid-column: 1 / -1 }
dt { font-size: .85rem; font-weight: 600; color: var(--muted) }
dd { margin: 0 }
.badge { display: inline-flex; align-items: center; gap: .3em; padding: .05em .55em .05em .4em; border-radius: 1em; background: var(--back); color: var(--tone); font-weight: 600; font-size: .875rem; white-space: nowrap }

.finding, .gate { border: 1px solid var(--line); border-left: .35rem solid var(--tone); border-radius: .4rem; padding: .75rem 1rem }
.finding + .finding { margin-top: .75rem }
.finding > p { margin-top: .35rem }
section > * + .muted { margin-top: .75rem }
.columns { display: grid; gap: .75rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr)) }
.command { background: var(--page); border: 1px solid var(--line); border-radius: .3rem; padding: 0 .15rem 0 .35rem; -webkit-box-decoration-break: clone; box-decoration-break: clone }
.copy { display: none; align-items: center; gap: .4em; font: inherit; font-size: .875rem; color: var(--text); background: var(--card); border: 1px solid var(--muted); border-radius: .35rem; cursor: pointer; padding: .15rem .6rem }
.live .copy { display: inline-flex }
.copy.all { margin-top: .5rem }
.command .copy { border: 0; background: none; padding: .3rem; vertical-align: middle; color: var(--link) }
.copy:hover { color: var(--link); border-color: var(--link) }

.scroll { overflow-x: auto; margin-top: .5rem }
.scroll + .facts, .facts + .muted { margin-top: 1rem }
table { border-collapse: collapse; width: 100%; font-size: .925rem }
caption { text-align: left; font-weight: 600; font-size: .85rem; color: var(--muted); padding-bottom: .25rem }
th, td { text-align: left; padding: .35rem 1rem .35rem 0; border-bottom: 1px solid var(--line); white-space: nowrap; vertical-align: baseline; font-weight: inherit }
thead th { font-size: .85rem; color: var(--muted); font-weight: 600 }
tbody th { font-weight: 600 }
tbody tr:last-child > * { border-bottom: 0 }
td.detail { white-space: normal; min-width: 16rem; width: 100% }
summary { cursor: pointer; padding: .25rem 0; color: var(--link) }

.strip { display: block; overflow: visible; margin-top: .25rem }
.strip text { font-size: .75rem; fill: var(--muted) }
.track { fill: none; stroke: var(--muted); stroke-dasharray: 3 3 }
.hatch rect { fill: var(--tone) }
.hatch path { stroke: var(--card); stroke-width: 1.6; fill: none }
.hatch circle { fill: var(--card) }
.mark { fill: var(--text); stroke: var(--card); stroke-width: 1.5; paint-order: stroke }
.mark.closed { fill: var(--card); stroke: var(--text); paint-order: normal }
.legend { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: .25rem 1.1rem; font-size: .85rem; color: var(--muted); margin: .5rem 0 .25rem }
.legend li { display: flex; align-items: center; gap: .4rem }
.swatch { width: 1.4rem; height: .9rem; overflow: hidden }

#lost { position: sticky; top: 0; z-index: 1; background: #7a1210; color: #fff; font-weight: 600; padding: .6rem 1rem; text-align: center }
#said { position: fixed; bottom: 1rem; left: 50%; transform: translateX(-50%); background: var(--text); color: var(--page); padding: .4rem 1rem; border-radius: .4rem }
#said:empty { display: none }
footer { padding-bottom: 2rem; display: flex; flex-wrap: wrap; gap: .25rem 1.25rem }

@media (max-width: 40rem) {
  section { padding: .9rem }
  header, main, footer { padding-inline: .6rem }
}
@media (prefers-reduced-motion: no-preference) {
  .headline, .badge { transition: background-color .3s, color .3s }
}
@media print {
  :root { --page: #fff }
  .copy, .skip, #said { display: none !important }
  section, .finding, .gate { break-inside: avoid }
  .scroll { overflow: visible }
  th, td { white-space: normal; overflow-wrap: break-word }
  td.detail { min-width: 0; width: auto }
  details::details-content { content-visibility: visible; display: block }
}
`;
