import { defineConfig } from "@playwright/test";

export default defineConfig({
  fullyParallel: true,
  timeout: 120_000,
  expect: { timeout: 60_000 },
  use: {
    // CHROMIUM is a browser that is there; without it, Playwright takes the one that it has installed.
    launchOptions: { executablePath: process.env.CHROMIUM || undefined, chromiumSandbox: false },
  },
});
