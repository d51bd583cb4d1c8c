/** The members that `--discover` finds in the configuration of an ensemble. */
import type { ServerAddress } from "@effect-zookeeper/transport/ServerAddress"
import { assert, describe, it } from "@effect/vitest"
import * as Option from "effect/Option"
import { discovered, explainUnknown } from "../../src/internal/diagnose/discovery.ts"
import { checkSettings } from "../../src/internal/doctor/settingChecks.ts"
import { member } from "../support/members.ts"

const configuration = (...members: ReadonlyArray<readonly [address: string, client?: string]>) => ({
  members: members.map(([address, client], index) => ({
    id: index + 1,
    addresses: [address],
    role: "participant" as const,
    client: Option.fromNullishOr(client)
  }))
})

/** As an ordinary zoo.cfg has it. */
const plain = configuration(["zk1:2888:3888"], ["zk2:2888:3888"], ["zk3:2888:3888"])

const servers = (...hosts: ReadonlyArray<string>): ReadonlyArray<ServerAddress> =>
  hosts.map((host) => ({ host, port: 2181 }))

const find = (config: ReturnType<typeof configuration>, given: ReadonlyArray<ServerAddress>) => {
  const { servers, unknown } = discovered(config, given)
  return { hosts: servers.map(({ host }) => host), unknown: unknown && explainUnknown(unknown) }
}

describe("the members of a configuration", () => {
  it("are asked where it tells their ports for clients", () => {
    const config = configuration(["zk1:2888:3888", "0.0.0.0:2181"], ["zk2:2888:3888", "10.0.0.2:2181"])
    assert.deepStrictEqual(find(config, servers("zk1")), { hosts: ["zk1", "10.0.0.2"], unknown: undefined })
  })

  it("are named where it does not, as far as the connect string has no server of their host", () => {
    assert.deepStrictEqual(find(plain, servers("zk2")), {
      hosts: ["zk2"],
      unknown: "the configuration has no client address of server.1 and server.3: name them in --servers"
    })
    assert.deepStrictEqual(find(plain, servers("zk1", "zk2", "zk3")).unknown, undefined)
    const mixed = configuration(["zk1:2888:3888", "2181"], ["zk2:2888:3888"], ["zk3:2888:3888"])
    assert.deepStrictEqual(find(mixed, servers("zk3")), {
      hosts: ["zk1", "zk3"],
      unknown: "the configuration has no client address of server.2: name it in --servers"
    })
  })

  it("are counted where it is not known which of them the connect string names", () => {
    const oneHost = configuration(["h:1:2"], ["h:3:4"], ["h:5:6"])
    assert.strictEqual(
      find(oneHost, servers("h")).unknown,
      "the configuration has no client address of 2 of server.1, server.2 and server.3: name all in --servers"
    )
    assert.include(find(plain, servers("10.0.0.1")).unknown ?? "", "2 of server.1, server.2 and server.3")
  })

  it("make the doctor name them, and not advise what was done already", () => {
    const { unknown } = discovered(plain, servers("zk1"))
    const [first, ...others] = checkSettings([member("zk1")], unknown)
    assert.deepStrictEqual(others, [])
    assert.include(first?.message ?? "", "no client address of server.2 and server.3")
    assert.notInclude(first?.advice ?? "", "give --discover")
    assert.include(checkSettings([member("zk1")])[0]?.advice ?? "", "give --discover")
  })
})
