// Required, not imported: a bundler of tests leaves it as it is, and there is one copy however it is loaded.
import { createRequire } from "node:module";

export const { start, connect } = createRequire(import.meta.url)("./index.js");
