/**
 * `npx -y pnpm@12 zookeeper`: a real ZooKeeper server, or an ensemble of three, until Ctrl-C.
 */
import * as ZooKeeperEnsemble from "@effect-zookeeper/test-kit/ZooKeeperEnsemble"
import * as ZooKeeperInstall from "@effect-zookeeper/test-kit/ZooKeeperInstall"
import * as ZooKeeperServer from "@effect-zookeeper/test-kit/ZooKeeperServer"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { number, optionalNumber, runCommand, toggle, type Values } from "./runCommand.ts"

const flags = {
  ensemble: toggle("ensemble", "Three servers instead of one"),
  readOnly: toggle("read-only", "An ensemble of which one server is left: it serves read-only sessions"),
  port: optionalNumber("port", "The client port of a single server; a free one if left out"),
  tick: number("tick", "tickTime in milliseconds; sessions last at least two of them", 2000),
  quorum: toggle("quorum", "A single server as an ensemble of one, which can be reconfigured"),
  tls: toggle("tls", "A secure port too, with certificates made for this run"),
  sasl: toggle("sasl", "SASL with DIGEST-MD5: users bob/bobsecret, alice/alicesecret, super/adminsecret")
}

type Config = Values<typeof flags>

const serve = Effect.fnUntraced(function* (config: Config) {
  const install = yield* ZooKeeperInstall.find
  const options = { tickTime: config.tick, tls: config.tls, sasl: config.sasl }
  yield* Console.error(`Starting ZooKeeper (${install.source}) ...`)
  const started =
    config.ensemble || config.readOnly
      ? yield* startEnsemble(config, options)
      : yield* ZooKeeperServer.make({ ...options, quorum: config.quorum, port: Option.getOrUndefined(config.port) })
  // The one line on stdout, for scripts.
  yield* Console.log(started.connectString)
  if ("servers" in started) {
    for (const server of started.servers) {
      yield* Console.error(`  server ${server.id}: ${server.connectString}, ${yield* server.mode}`)
    }
  }
  if (started.tls !== undefined) yield* showTls(started.tls, "servers" in started ? started.servers[0] : started)
  yield* Console.error("The super user is super:secret (scheme digest). Ctrl-C stops and removes everything.")
  return yield* Effect.never
}, Effect.scoped)

const startEnsemble = Effect.fnUntraced(function* (config: Config, options: ZooKeeperServer.Options) {
  const ensemble = yield* ZooKeeperEnsemble.make({
    ...options,
    // Without them a read-only server accepts no new sessions.
    localSessions: config.readOnly ? "upgrading" : undefined
  })
  if (config.readOnly) {
    const [first, second, last] = ensemble.servers
    yield* Effect.forEach([first, second], (server) => server?.stop ?? Effect.void)
    yield* last?.awaitMode("read-only") ?? Effect.void
  }
  return ensemble
})

const showTls = Effect.fnUntraced(function* (
  tls: ZooKeeperServer.Tls,
  server: ZooKeeperServer.ZooKeeperServer | undefined
) {
  const folder = Path.join(server?.folder ?? "", "client-tls")
  const write = (name: string, content: string) => Fs.writeFileSync(Path.join(folder, name), content, { mode: 0o600 })
  Fs.mkdirSync(folder)
  write("ca.pem", tls.ca)
  write("client.crt", tls.client.cert)
  write("client.key", tls.client.key)
  yield* Console.error(`TLS on ${tls.connectString}; ca.pem, client.crt and client.key are in ${folder}`)
})

runCommand(
  "zookeeper",
  "Starts a real ZooKeeper on loopback ports, prints its connect string, and stops it on Ctrl-C. All four-letter words, " +
    "TTL nodes, reconfiguration and read-only mode are on; the data is in a temporary folder.",
  flags,
  serve
)
