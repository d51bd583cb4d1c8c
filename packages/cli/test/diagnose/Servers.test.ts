/** The diagnosing commands on real servers that allow few words, that speak TLS alone, and that have an AdminServer. */
import * as AdminServer from "@effect-zookeeper/cli/AdminServer"
import * as FourLetterWords from "@effect-zookeeper/cli/FourLetterWords"
import type * as ServerAnswers from "@effect-zookeeper/cli/ServerAnswers"
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import { eventually } from "@effect-zookeeper/test-kit/Expectations"
import * as ZooKeeperServer from "@effect-zookeeper/test-kit/ZooKeeperServer"
import { itLive } from "@effect-zookeeper/test-kit/TestWith"
import * as Transport from "@effect-zookeeper/transport/Transport"
import { assert, describe } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { run } from "../support/zk.ts"

const sessionOn = (servers: string) =>
  Effect.map(Layer.build(ZooKeeper.layer({ servers })), Context.get(ZooKeeper.ZooKeeper))

describe("a server that allows few words", () => {
  itLive("has a status by srvr, and a doctor that says what it could not check", function* () {
    // The tests need conf to see that the server is theirs.
    const { connectString } = yield* ZooKeeperServer.make({ config: ["4lw.commands.whitelist=srvr, conf"] })
    const servers = ["-s", connectString]
    const refused = yield* run(["4lw", "mntr", ...servers])
    assert.strictEqual(refused.code, 6)
    assert.include(refused.err, "4lw.commands.whitelist")
    const { code, out } = yield* run(["status", ...servers])
    assert.strictEqual(code, 0)
    assert.match(
      out,
      /standalone +3\.\d+\.\d+ +0x[0-9a-f]+ +0 +[\d.]+\/\d+ +\d+ +- +\d+ +- +- +\d+\n.*the word mntr is not allowed/
    )
    assert.strictEqual((yield* run(["health", ...servers])).code, 0)
    const doctor = yield* run(["doctor", ...servers, "--fail-on", "never"])
    assert.include(doctor.out, "no answer to dirs, dump, envi, mntr, wchs, so that not everything could be checked")
    assert.include(doctor.out, "no server tells its sessions")
  })
})

describe("a server that speaks TLS", () => {
  itLive("is diagnosed through its secure port, and says so to plain connections", function* () {
    const server = yield* ZooKeeperServer.make({ tls: true })
    const { tls = assert.fail("no TLS") } = server
    const write = (name: string, text: string) => {
      const file = Path.join(server.folder, name)
      Fs.writeFileSync(file, text, { mode: 0o600 })
      return file
    }
    const secure = ["-s", tls.connectString]
    const flags = [
      ...secure,
      ...["--ca", write("ca.pem", tls.ca)],
      ...["--cert", write("me.pem", tls.client.cert)],
      ...["--key", write("me.key", tls.client.key)]
    ]
    for (const command of [["4lw", "srvr"], ["status"], ["health"], ["doctor", "--fail-on", "never"]]) {
      const { code, err } = yield* run([...command, ...flags])
      assert.deepStrictEqual({ code, err }, { code: 0, err: "" }, command.join(" "))
    }
    assert.match((yield* run(["4lw", "srvr", ...flags])).out, /^Zookeeper version: /)

    // Plain bytes at the secure port, TLS at the plain one.
    const plain = yield* run(["4lw", "srvr", ...secure])
    assert.strictEqual(plain.code, 5)
    assert.match(plain.err, /its port is for TLS/)
    const wrong = yield* run(["health", "-s", `tls://${server.connectString}`, "--within", "2s"])
    assert.strictEqual(wrong.code, 5, wrong.err)
    const missing = yield* run(["status", ...secure, "--ca", "/no/such/ca.pem"])
    assert.strictEqual(missing.code, 2)
    assert.include(missing.err, "/no/such/ca.pem")
  })
})

describe("a server with an AdminServer", () => {
  itLive("gives by HTTP what it gives by words", function* () {
    const [port = 0] = yield* ZooKeeperServer.freePorts(1)
    const { connectString, port: client } = yield* ZooKeeperServer.make({
      config: ["admin.enableServer=true", `admin.serverPort=${port}`, "admin.serverAddress=127.0.0.1"]
    })
    const zk = yield* sessionOn(connectString)
    yield* zk.create("/e", { mode: "ephemeral" })
    const { changed } = yield* zk.getAndWatch("/e")
    yield* Effect.forkScoped(changed)
    const server = { host: "127.0.0.1", port: client }
    const byWord = <W extends ServerAnswers.Word>(word: W) =>
      FourLetterWords.ask(server, word).pipe(Effect.provide(Transport.layer()))
    const byHttp = <W extends ServerAnswers.Word>(word: W) =>
      AdminServer.ask(`http://127.0.0.1:${port}`, word).pipe(Effect.provide(FetchHttpClient.layer))

    // What does not change between two questions is the same.
    for (const word of ["ruok", "isro", "wchs", "wchp", "wchc", "dump"] as const) {
      assert.deepStrictEqual<unknown>(yield* byHttp(word), yield* byWord(word), word)
    }
    const [srvr, srvrByHttp] = [yield* byWord("srvr"), yield* byHttp("srvr")]
    for (const field of ["version", "readOnly", "zxid", "mode", "nodeCount", "outstanding"] as const) {
      assert.strictEqual(srvrByHttp[field], srvr[field], field)
    }
    const [mntr, mntrByHttp] = [yield* byWord("mntr"), yield* byHttp("mntr")]
    for (const field of [
      "version",
      "mode",
      "nodeCount",
      "watchCount",
      "ephemeralCount",
      "dataSize",
      "maxFiles"
    ] as const) {
      assert.strictEqual(mntrByHttp[field], mntr[field], field)
    }
    assert.sameMembers(Object.keys(mntrByHttp.metrics), Object.keys(mntr.metrics))
    const [conf, confByHttp] = [yield* byWord("conf"), yield* byHttp("conf")]
    for (const field of ["serverId", "tickTime", "minSessionTimeout", "maxClientCnxns", "dataDir"] as const) {
      assert.strictEqual(confByHttp[field], conf[field], field)
    }
    assert.strictEqual((yield* byHttp("envi"))["user.name"], (yield* byWord("envi"))["user.name"])
    assert.isAbove((yield* byHttp("dirs")).log, 0)
    assert.isAbove((yield* byWord("dirs")).log, 0)
    const ofSession = <A extends { readonly session?: bigint }>(all: ReadonlyArray<A>) =>
      all.find(({ session }) => session === zk.session.id)
    const bothCons = Effect.gen(function* () {
      return [ofSession(yield* byWord("cons")), ofSession(yield* byHttp("cons"))] as const
    })
    // The client may ping the server between the two questions.
    const [cons, consByHttp] = yield* eventually(
      bothCons,
      ([word, http]) => word !== undefined && word.lastOperation === http?.lastOperation
    )
    for (const field of ["address", "sessionTimeout", "lastOperation", "established"] as const) {
      assert.strictEqual(consByHttp?.[field], cons?.[field], field)
    }
    assert.isDefined(cons?.established)

    const { code, out } = yield* run(["status", "-s", connectString, "--admin-port", String(port), "--json"])
    assert.strictEqual(code, 0)
    assert.deepInclude(JSON.parse(out).members[0], { state: "serving", mode: "standalone", ephemeralCount: 1 })
    const unknown = yield* Effect.flip(
      AdminServer.askJson(`http://127.0.0.1:${port}`, "nope").pipe(Effect.provide(FetchHttpClient.layer))
    )
    assert.strictEqual(unknown.reason, "Refused")
  })
})
