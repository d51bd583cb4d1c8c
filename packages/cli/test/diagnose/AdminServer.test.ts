/** The AdminServer: its JSON as the answers of words, and its refusals. */
import * as AdminServer from "@effect-zookeeper/cli/AdminServer"
import type * as ServerAnswers from "@effect-zookeeper/cli/ServerAnswers"
import { itLive } from "@effect-zookeeper/test-kit/TestWith"
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import { run } from "../support/zk.ts"
import { serve } from "../support/http.ts"

const ask = <W extends ServerAnswers.Word>(port: number, word: W, options?: AdminServer.Options) =>
  AdminServer.ask(`http://127.0.0.1:${port}/`, word, options).pipe(Effect.provide(FetchHttpClient.layer))

const json = (command: string, fields: string) => ({
  [`/commands/${command}`]: { body: `{\n  ${fields},\n  "command" : "x",\n  "error" : null\n}` }
})

const summary = `"version" : "3.8.0-5a02a05e, built on 2022-02-25 08:49 UTC", "read_only" : false, "server_stats" : {
  "packets_sent" : 7, "packets_received" : 8, "fsync_threshold_exceed_count" : 0, "client_response_stats" : {},
  "provider_null" : false, "server_state" : "leader", "outstanding_requests" : 1, "min_latency" : 0, "avg_latency" : 1.5,
  "max_latency" : 20, "data_dir_size" : 67108880, "log_dir_size" : 457, "last_processed_zxid" : 9223372036854775807,
  "num_alive_client_connections" : 2, "uptime" : 1234, "auth_failed_count" : 0 }, "client_response" : {},
  "proposal_stats" : { "last_buffer_size" : 48, "min_buffer_size" : 48, "max_buffer_size" : 178 }, "node_count" : 6`

const connection = `{ "remote_socket_address" : "127.0.0.1:45678", "interest_ops" : 1, "outstanding_requests" : 0,
  "packets_received" : 6, "packets_sent" : 5, "session_id" : 72057594037927937, "last_operation" : "PING",
  "established" : "2026-01-01T12:00:00.000+00:00", "session_timeout" : 10000, "last_cxid" : -8, "last_zxid" : -1,
  "last_response_time" : 99, "last_latency" : 1, "min_latency" : 0, "avg_latency" : 2, "max_latency" : 3 }`

describe("the AdminServer", () => {
  itLive("gives the answers that the words give", function* () {
    const port = yield* serve({
      ...json("ruok", '"a" : 1'),
      ...json("isro", '"read_only" : true'),
      ...json("srvr", summary),
      ...json("cons", `"connections" : [ ${connection} ], "secure_connections" : []`),
      ...json(
        "mntr",
        '"version" : "3.8.0-x", "server_state" : "leader", "min_latency" : 0, "avg_latency" : 0.5, "max_latency" : 9, "packets_received" : 70, "packets_sent" : 69, "num_alive_connections" : 1, "outstanding_requests" : 0, "znode_count" : 4, "watch_count" : 3, "ephemerals_count" : 2, "approximate_data_size" : 27, "synced_followers" : 2, "p99_latency" : null'
      ),
      ...json(
        "conf",
        '"client_port" : 2181, "data_dir" : "/d/version-2", "tick_time" : 2000, "max_client_cnxns" : 60, "min_session_timeout" : 4000, "max_session_timeout" : 40000, "server_id" : 1'
      ),
      ...json("wchs", '"num_connections" : 1, "num_paths" : 2, "num_total_watches" : 2'),
      ...json("wchp", '"path_to_session_ids" : { "/a:1234567890123456789" : [ 72057594037927937, -1 ] }'),
      ...json("wchc", '"session_id_to_watched_paths" : { "72057594037927937" : [ "/a" ] }'),
      ...json(
        "dump",
        '"expiry_time_to_session_ids" : { "1700000000000" : [ 72057594037927937 ], "1700000002000" : [ ] }, "session_id_to_ephemeral_paths" : { "72057594037927937" : [ "/e" ] }'
      ),
      ...json("envi", '"zookeeper.version" : "3.8.0", "os.memory.max" : "128MB"'),
      ...json("dirs", '"datadir_size" : 67108880, "logdir_size" : 457')
    })
    const session = 0x100000000000001n
    assert.strictEqual(yield* ask(port, "ruok"), "imok")
    assert.strictEqual(yield* ask(port, "isro"), "ro")
    assert.deepInclude(yield* ask(port, "srvr"), {
      mode: "leader",
      zxid: 0x7fffffffffffffffn,
      latency: { min: 0, avg: 1.5, max: 20 },
      proposalSizes: { last: 48, min: 48, max: 178 },
      nodeCount: 6
    })
    assert.deepStrictEqual(yield* ask(port, "cons"), [
      {
        address: "127.0.0.1:45678",
        queued: 0,
        received: 6,
        sent: 5,
        session,
        lastOperation: "PING",
        established: Date.UTC(2026, 0, 1, 12),
        sessionTimeout: 10_000,
        lastZxid: -1n,
        lastResponse: 99,
        lastLatency: 1,
        minLatency: 0,
        avgLatency: 2,
        maxLatency: 3
      }
    ])
    const mntr = yield* ask(port, "mntr")
    assert.deepInclude(mntr, { mode: "leader", watchCount: 3, syncedFollowers: 2 })
    assert.strictEqual(mntr.metrics["zk_avg_latency"], 0.5)
    assert.deepInclude(yield* ask(port, "conf"), {
      serverId: 1,
      tickTime: 2000,
      maxClientCnxns: 60,
      dataDir: "/d/version-2"
    })
    assert.deepStrictEqual(yield* ask(port, "wchs"), { connections: 1, paths: 2, watches: 2 })
    assert.deepStrictEqual(yield* ask(port, "wchp"), [{ path: "/a:1234567890123456789", sessions: [session, -1n] }])
    assert.deepStrictEqual(yield* ask(port, "wchc"), [{ session, paths: ["/a"] }])
    assert.deepStrictEqual(yield* ask(port, "dump"), {
      sessions: [session],
      ephemerals: [{ session, paths: ["/e"] }]
    })
    assert.deepStrictEqual(yield* ask(port, "envi"), { "zookeeper.version": "3.8.0", "os.memory.max": "128MB" })
    assert.deepStrictEqual(yield* ask(port, "dirs"), { data: 67_108_880, log: 457 })
  })

  itLive("says why there is no answer", function* () {
    const port = yield* serve({
      "/commands/ruok": {
        body: '{"command":"ruok","error":"This ZooKeeper instance is not currently serving requests"}'
      },
      "/commands/srvr": { body: '{"command":"srvr","error":"Unknown command: srvr"}' },
      "/commands/mntr": { body: "<html>", status: 500 },
      "/commands/isro": { body: '{"command":"isro"}' },
      "/commands/dirs": { body: "x".repeat(2000) },
      "/commands/envi": { body: '{"command":"envi","error":null}', status: 403 }
    })
    const reason = (word: ServerAnswers.Word, options?: AdminServer.Options) =>
      Effect.map(Effect.flip(ask(port, word, options)), (error) => {
        assert.include(error.message, `http://127.0.0.1:${port}/commands/${word}: `)
        return error.reason
      })
    assert.strictEqual(yield* reason("ruok"), "NotServing")
    assert.strictEqual(yield* reason("srvr"), "Refused")
    assert.strictEqual(yield* reason("mntr"), "Unexpected")
    assert.strictEqual(yield* reason("isro"), "Unexpected")
    assert.strictEqual(yield* reason("conf"), "Unexpected")
    assert.strictEqual(yield* reason("envi"), "Refused")
    assert.strictEqual(yield* reason("dirs", { maxSize: 1000 }), "TooLong")
    assert.strictEqual((yield* Effect.flip(ask(1, "srvr"))).reason, "Unreachable")
  })

  itLive("is asked by status instead of words, with --admin-port", function* () {
    const port = yield* serve(json("srvr", summary))
    const { code, out } = yield* run([
      "status",
      "-s",
      "127.0.0.1:2181,127.0.0.2:2181",
      "--admin-port",
      String(port),
      "--json"
    ])
    assert.strictEqual(code, 0)
    const { members } = JSON.parse(out)
    assert.deepInclude(members[0], { server: "127.0.0.1:2181", state: "serving", mode: "leader", lag: 0 })
    assert.deepInclude(members[1], { server: "127.0.0.2:2181", state: "unreachable" })
  })
})
