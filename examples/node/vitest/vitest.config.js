import { defineConfig } from "vitest/config";

export default defineConfig({ test: { globalSetup: "verifyd-test/vitest", testTimeout: 60_000 } });
