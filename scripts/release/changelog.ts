/** The changelog's sections. A released one is headed `## 0.1.0 / 2026-11-30`, as Prometheus's are. */

/**
 * What stands below the version's heading, without it. Throws RangeError where there is no such heading, more than one,
 * or nothing below it.
 */
export function sectionOf(changelog: string, version: string): string {
  const sections = changelog
    .split(/^## /m)
    .slice(1)
    .map((section) => {
      const [heading = '', ...lines] = section.split('\n');
      return { heading: heading.trim(), text: lines.join('\n').trim() };
    });
  const found = sections.filter(({ heading }) => heading.split(' / ')[0] === version);
  const wanted = `a heading "## ${version} / YYYY-MM-DD"`;
  const [section] = found;
  if (section === undefined) {
    const near = sections.find(({ heading }) => heading.includes(version));
    throw new RangeError(
      `CHANGELOG.md has no section for ${version}: ${near ? `it has "## ${near.heading}"; ` : ''}give it ${wanted}`,
    );
  }
  if (found.length > 1) throw new RangeError(`CHANGELOG.md has ${found.length} sections for ${version}`);
  if (!/^\S+ \/ \d{4}-\d{2}-\d{2}$/.test(section.heading)) {
    throw new RangeError(`CHANGELOG.md has "## ${section.heading}": give it ${wanted}`);
  }
  if (section.text === '') throw new RangeError(`CHANGELOG.md says nothing below "## ${section.heading}"`);
  return section.text;
}
