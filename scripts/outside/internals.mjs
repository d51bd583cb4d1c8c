// Internal modules cannot be imported, whichever way it is tried.
import assert from "node:assert/strict"

const internals = {
  client: "internal/makeClient",
  cluster: "internal/makeStorage",
  config: "internal/snapshot/readSnapshot",
  console: "internal/handlers",
  protocol: "internal/text",
  recipes: "internal/locks/ContenderQueue",
  server: "internal/net/ServerRuntime",
  session: "internal/makeSession",
  storage: "internal/bytes/adler32",
  transport: "internal/dial"
}

const refused = ["ERR_PACKAGE_PATH_NOT_EXPORTED", "ERR_MODULE_NOT_FOUND", "ERR_INVALID_MODULE_SPECIFIER"]

for (const [name, module] of Object.entries(internals)) {
  for (const path of [module, `${module}.js`, `dist/${module}.js`, `src/${module}.ts`, `../dist/${module}`]) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other, so that the first failure is the one told
    await assert.rejects(
      import(`@effect-zookeeper/${name}/${path}`),
      ({ code }) => (path.startsWith("internal/") ? code === refused[0] : refused.includes(code)),
      `@effect-zookeeper/${name}/${path} must not be importable`
    )
  }
}
