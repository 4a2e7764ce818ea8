import { describe, expect, test } from 'vitest';
import { missingPrograms, parseOptions } from '../../scripts/release/options.ts';

describe('what the person who releases says', () => {
  test('steps are done in their order, the check before any other', () => {
    expect(parseOptions(['notes', 'sbom'])).toEqual({
      steps: ['check', 'sbom', 'notes'],
      registry: null,
      engine: 'docker',
      isDryRun: false,
      isSigned: false,
    });
    expect(
      parseOptions(['all', '--registry=localhost:5000', '--engine', 'podman', '--sign', '--dry-run']),
    ).toEqual({
      steps: ['check', 'gate', 'image', 'sbom', 'notes'],
      registry: 'localhost:5000',
      engine: 'podman',
      isDryRun: true,
      isSigned: true,
    });
    expect(parseOptions(['--help'])).toBe('help');
  });

  test.each<[string[], string]>([
    [[], 'no step: give check, gate, image, sbom, notes or all'],
    [['publish'], 'step "publish": unknown; give check, gate, image, sbom, notes or all'],
    [['check', '--engine=kaniko'], '--engine "kaniko": unknown; give docker or podman'],
    [['image'], '--registry is missing: step image pushes to it'],
    [['all'], '--registry is missing: step image pushes to it'],
    [['check', '--force'], "Unknown option '--force'"],
    [['check', '--registry'], "Option '--registry <value>' argument missing"],
    [
      ['x', '--engine=y'],
      'step "x": unknown; give check, gate, image, sbom, notes or all; --engine "y": unknown; give docker or podman',
    ],
  ])('%j is refused', (argv, message) => {
    expect(() => parseOptions(argv)).toThrow(new RangeError(message));
  });

  test.each([
    'ghcr.io/you',
    'docker.io/you',
    'localhost:5000',
    'localhost/a',
    '123456789012.dkr.ecr.eu-west-1.amazonaws.com',
  ])('registry %s', (registry) => {
    expect(parseOptions(['image', '--registry', registry])).toMatchObject({ registry });
  });

  test.each(['you', 'https://ghcr.io/you', 'ghcr.io/you:1.0', 'ghcr.io/', 'ghcr.io/You', '-x.y/z', ''])(
    'registry "%s" is refused',
    (registry) => {
      expect(() => parseOptions(['image', `--registry=${registry}`])).toThrow(
        `--registry "${registry}": not host`,
      );
    },
  );

  test('a program that is missing is said before anything is pushed', () => {
    const missing = (...argv: string[]) => {
      const options = parseOptions(argv);
      return options === 'help' ? [] : missingPrograms(options, () => false);
    };
    expect(missing('check', 'gate', 'notes')).toEqual([]);
    expect(missing('image', '--registry=a.b', '--engine=podman')).toEqual([
      '"podman" is missing; install it and skopeo, or give --engine docker',
    ]);
    expect(missing('sbom', '--sign')[0]).toMatch(
      /^"cosign" is missing; https:\/\/docs\.sigstore\.dev has it/,
    );
  });
});
