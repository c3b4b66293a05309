import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // Tests start threads, kill them and abandon runs: each file in a process of its own.
    pool: "forks",
    // One at a time: the teams use all cores, and some tests watch the clock.
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
