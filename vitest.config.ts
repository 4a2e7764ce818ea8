import { defineConfig } from 'vitest/config';

/**
 * On real sockets, beside a real Prometheus, in a real browser and terminal, in a real container, in a real cluster: each as root. With the time that
 * a test has; a test on a cluster has more than the sum of its waits, for each of those says at its own end what was there instead.
 */
const ON_THE_MACHINE = {
  e2e: 120_000,
  prometheus: 240_000,
  screen: 120_000,
  image: 300_000,
  cluster: 720_000,
};

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: Object.keys(ON_THE_MACHINE).map(filesOf),
        },
      },
      ...Object.entries(ON_THE_MACHINE).map(([name, testTimeout]) => ({
        test: {
          name,
          include: [filesOf(name)],
          // Network namespaces and the stand-ins' addresses belong to the machine: one file at a time.
          fileParallelism: false,
          testTimeout,
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
