/** The answers of servers as text and as JSON, of the releases that differ. */
import * as FourLetterWords from "@effect-zookeeper/cli/FourLetterWords"
import * as ServerAnswers from "@effect-zookeeper/cli/ServerAnswers"
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"

const parse = <W extends ServerAnswers.Word>(word: W, text: string): ServerAnswers.Answer<W> =>
  Result.getOrElse(FourLetterWords.parse(word, text), (mistake) => assert.fail(mistake))

const leader = `Zookeeper version: 3.9.2-e454e8c7283100c7caec6dcae2bc82aaecb63023, built on 2024-02-12 20:59 UTC
Latency min/avg/max: 0/1.5333/20
Received: 46
Sent: 45
Connections: 2
Outstanding: 1
Zxid: 0x200000007
Mode: leader
Node count: 6
Proposal sizes last/min/max: 48/48/178
`

describe("the answers of servers", () => {
  it("srvr has the same fields from 3.4 to 3.9", () => {
    const old = `Zookeeper version: 3.4.13-2d71af4dbe22557fda74f9a9b4309b15a7487f03, built on 06/29/2018 00:39 GMT
Latency min/avg/max: 0/0/0
Received: 1
Sent: 0
Connections: 1
Outstanding: 0
Zxid: 0x0
Mode: standalone
Node count: 4
`
    assert.deepInclude(parse("srvr", old), { mode: "standalone", zxid: 0n, nodeCount: 4, readOnly: false })
    assert.deepStrictEqual(parse("srvr", leader), {
      version: "3.9.2-e454e8c7283100c7caec6dcae2bc82aaecb63023, built on 2024-02-12 20:59 UTC",
      readOnly: false,
      latency: { min: 0, avg: 1.5333, max: 20 },
      received: 46,
      sent: 45,
      connections: 2,
      outstanding: 1,
      zxid: 0x200000007n,
      mode: "leader",
      nodeCount: 6,
      proposalSizes: { last: 48, min: 48, max: 178 }
    })
    const readOnly = leader
      .replace("\nLatency", "\nREAD-ONLY mode; serving only read-only clients\nLatency")
      .replace("Mode: leader", "Mode: read-only")
    assert.deepInclude(parse("srvr", readOnly), { mode: "read-only", readOnly: true })
    assert.strictEqual(ServerAnswers.releaseOf(parse("srvr", leader).version), "3.9.2")
  })

  it("stat and cons have the connections, with names of hosts and IPv6", () => {
    const stat = leader.replace(
      "\nLatency",
      "\nClients:\n /0:0:0:0:0:0:0:1:58204[1](queued=0,recved=7,sent=8)\n localhost/127.0.0.1:34304[0](queued=2,recved=1,sent=0)\n\nLatency"
    )
    assert.deepStrictEqual(parse("stat", stat).clients, [
      { address: "0:0:0:0:0:0:0:1:58204", queued: 0, received: 7, sent: 8 },
      { address: "127.0.0.1:34304", queued: 2, received: 1, sent: 0 }
    ])
    const cons =
      " /127.0.0.1:34304[1](queued=0,recved=6,sent=6,sid=0xff00000000000001,lop=GETD,est=1700000000000,to=10000,lcxid=0x5," +
      "lzxid=0xffffffffffffffff,lresp=129,llat=0,minlat=0,avglat=3,maxlat=8)\n /127.0.0.1:34312[0](queued=0,recved=1,sent=0)\n\n"
    assert.deepStrictEqual(parse("cons", cons), [
      {
        address: "127.0.0.1:34304",
        queued: 0,
        received: 6,
        sent: 6,
        session: BigInt.asIntN(64, 0xff00000000000001n),
        lastOperation: "GETD",
        established: 1_700_000_000_000,
        sessionTimeout: 10_000,
        lastZxid: -1n,
        lastResponse: 129,
        lastLatency: 0,
        minLatency: 0,
        avgLatency: 3,
        maxLatency: 8
      },
      { address: "127.0.0.1:34312", queued: 0, received: 1, sent: 0 }
    ])
    assert.deepStrictEqual(parse("cons", "\n"), [])
  })

  it("mntr has the same fields from 3.4 to 3.9, and all numbers by name", () => {
    const entries = {
      zk_version: "3.4.13-2d71af4d, built on 06/29/2018 00:39 GMT",
      zk_avg_latency: 0,
      zk_max_latency: 9,
      zk_min_latency: 0,
      zk_packets_received: 70,
      zk_packets_sent: 69,
      zk_num_alive_connections: 1,
      zk_outstanding_requests: 0,
      zk_server_state: "leader",
      zk_znode_count: 4,
      zk_watch_count: 3,
      zk_ephemerals_count: 2,
      zk_approximate_data_size: 27,
      zk_open_file_descriptor_count: 23,
      zk_max_file_descriptor_count: 4096,
      zk_followers: 4,
      zk_synced_followers: 2,
      zk_pending_syncs: 0
    }
    const textOf = (all: Readonly<Record<string, number | string>>) =>
      Object.entries(all)
        .map(([name, value]) => `${name}\t${value}\n`)
        .join("")
    const old = parse("mntr", textOf(entries))
    assert.deepInclude(old, { mode: "leader", watchCount: 3, learners: 4, syncedFollowers: 2, maxFiles: 4096 })
    const { zk_followers: _, ...rest } = entries
    const recent = parse(
      "mntr",
      textOf({ ...rest, zk_learners: 5, zk_read_commitproc_time_ms: "NaN", zk_p99_x: "1.5E2" })
    )
    assert.strictEqual(recent.learners, 5)
    assert.strictEqual(recent.metrics["zk_p99_x"], 150)
    assert.notProperty(recent.metrics, "zk_read_commitproc_time_ms")
    assert.notProperty(parse("mntr", textOf({ ...entries, zk_server_state: "null" })), "mode")
  })

  it("conf has the usual settings as numbers, and the members", () => {
    const conf = parse(
      "conf",
      "clientPort=2181\ndataDir=/var/lib/zookeeper/version-2\ndataDirSize=67108880\ntickTime=2000\nmaxClientCnxns=60\n" +
        "minSessionTimeout=4000\nmaxSessionTimeout=40000\nserverId=1\ninitLimit=10\nsyncLimit=5\nelectionAlg=3\n" +
        "membership: \nserver.1=zk1:2888:3888:participant;0.0.0.0:2181\nserver.2=zk2:2888:3888:observer\nversion=0"
    )
    assert.deepInclude(conf, { serverId: 1, tickTime: 2000, syncLimit: 5, dataDir: "/var/lib/zookeeper/version-2" })
    assert.deepStrictEqual(conf.membership, [
      "server.1=zk1:2888:3888:participant;0.0.0.0:2181",
      "server.2=zk2:2888:3888:observer"
    ])
    assert.strictEqual(conf.settings["dataDirSize"], "67108880")
  })

  it("dump has the sessions of leaders, of followers and of those before 3.5", () => {
    const ephemerals =
      "ephemeral nodes dump:\nSessions with Ephemerals (1):\n0x1000:\n\t/a/b\n\t/a/c:\nConnections dump:\n"
    const expected = { sessions: [0x1000n, 0x2000n], ephemerals: [{ session: 0x1000n, paths: ["/a/b", "/a/c:"] }] }
    const bySets =
      "SessionTracker dump:\nSession Sets (2)/(2):\n1 expire at Sun Nov 29 09:00:00 UTC 2026:\n\t0x1000\n" +
      "1 expire at Sun Nov 29 09:00:02 UTC 2026:\n\t0x2000\n"
    const cnxns =
      "Connections Sets (1)/(1):\n1 expire at Sun Nov 29 09:00:00 UTC 2026:\n\tip: /127.0.0.1:1 sessionId: 0x9\n"
    assert.deepStrictEqual(parse("dump", bySets + ephemerals + cnxns), expected)
    const global = "SessionTracker dump:\nGlobal Sessions(2):\n0x1000\t10000ms\n0x2000\t4000ms\n"
    assert.deepStrictEqual(parse("dump", global + ephemerals), expected)
    const before = bySets.replace("(2)/(2)", "(2)") + ephemerals.replace("Connections dump:\n", "")
    assert.deepStrictEqual(parse("dump", before), expected)
  })

  it("watches are by path and by session", () => {
    assert.deepStrictEqual(parse("wchs", "1 connections watching 2 paths\nTotal watches:2\n"), {
      connections: 1,
      paths: 2,
      watches: 2
    })
    assert.deepStrictEqual(parse("wchp", "/a\n\t0x1000\n\t0x2000\n/b\n\t0x1000\n\n"), [
      { path: "/a", sessions: [0x1000n, 0x2000n] },
      { path: "/b", sessions: [0x1000n] }
    ])
    assert.deepStrictEqual(parse("wchc", "0x1000\n\t/a\n\t/b\n\n"), [{ session: 0x1000n, paths: ["/a", "/b"] }])
    assert.deepStrictEqual(parse("wchp", "\n"), [])
    assert.deepStrictEqual(parse("dirs", ["datadir_size: 67108880", "logdir_size: 457", ""].join("\n")), {
      data: 67_108_880,
      log: 457
    })
    assert.deepStrictEqual(parse("envi", "Environment:\nzookeeper.version=3.8.0\njava.class.path=a=b:c\n"), {
      "zookeeper.version": "3.8.0",
      "java.class.path": "a=b:c"
    })
    assert.strictEqual(parse("isro", "null"), "null")
  })

  it("an answer that breaks off is a mistake or a shorter answer, and never a defect", () => {
    const connection =
      " /127.0.0.1:1[1](queued=0,recved=6,sent=6,sid=0x1,lop=PING,est=1700000000000,to=10000,lzxid=0x1)\n"
    const texts: Partial<Record<ServerAnswers.Word, string>> = {
      srvr: leader,
      stat: `Clients:\n${connection}\n${leader}`,
      cons: connection,
      mntr: "zk_version\t3.8.0-x\nzk_server_state\tleader\nzk_znode_count\t4\n",
      conf: "tickTime=2000\nserverId=1\nminSessionTimeout=4000\nmaxSessionTimeout=40000\nserver.1=a:1:2\n",
      dump: "SessionTracker dump:\nGlobal Sessions(1):\n0x1000\t10000ms\nephemeral nodes dump:\n0x1000:\n\t/a\n",
      wchp: "/a\n\t0x1000\n",
      wchc: "0x1000\n\t/a\n",
      wchs: "1 connections watching 2 paths\nTotal watches:2\n"
    }
    for (const word of Object.keys(texts).filter(FourLetterWords.isWord)) {
      const text = texts[word] ?? ""
      for (let end = 0; end <= text.length; end++) {
        for (const broken of [
          text.slice(0, end),
          text.slice(end),
          `${text.slice(0, end)}\u0000=[(\t${text.slice(end)}`
        ]) {
          const result = FourLetterWords.parse(word, broken)
          assert.isTrue(Result.isSuccess(result) || result.failure.length > 0)
        }
      }
    }
  })

  it("text of something else is a mistake that says where", () => {
    for (const word of ["ruok", "isro", "srvr", "stat", "mntr", "conf", "dirs", "wchs", "dump"] as const) {
      const result = FourLetterWords.parse(word, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
      assert.isTrue(Result.isFailure(result), word)
      if (Result.isFailure(result)) assert.notInclude(result.failure, "\n")
    }
  })
})
