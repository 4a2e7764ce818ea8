import { defineConfig } from 'vitest/config';

/** On real sockets, in a real container, in a real cluster: each as root. */
const ON_THE_MACHINE = ['e2e', 'image', 'cluster'];

export default defineConfig({
  test: {
    projects: [
      { test: { name: 'unit', include: ['test/**/*.test.ts'], exclude: ON_THE_MACHINE.map(filesOf) } },
      ...ON_THE_MACHINE.map((name) => ({
        test: {
          name,
          include: [filesOf(name)],
          // Network namespaces and the stand-ins' addresses belong to the machine: one file at a time.
          fileParallelism: false,
          testTimeout: 120_000,
          // A cluster or an image is made before the first test of a file.
          hookTimeout: 1_200_000,
        },
      })),
    ],
  },
});

function filesOf(name: string): string {
  return `test/${name}/**/*.test.ts`;
}
