/** Which members the console asks, by the connect string and the configuration. */
import { assert, describe, it } from "@effect/vitest"
import * as Option from "effect/Option"
import { membersOf, votersOf } from "../../src/internal/ui/ensembleMembers.ts"

const member = (id: number, role: "participant" | "observer", client = "0.0.0.0:2181") => ({
  id,
  role,
  addresses: [`zk${id}:2888:3888`],
  client: client === "" ? Option.none() : Option.some(client)
})

const configOf = (...members: ReadonlyArray<ReturnType<typeof member>>) => ({ version: 1n, members, raw: "" })

const at = (host: string) => ({ host, port: 2181 })

const three = configOf(member(1, "participant"), member(2, "participant"), member(3, "observer"))

describe("the members that are asked", () => {
  it("are those that were given, with their roles, and the others of the configuration", () => {
    const found = membersOf([at("zk2")], three)
    assert.deepStrictEqual(
      found.map(({ address, role }) => [address.host, role]),
      [
        ["zk2", "participant"],
        ["zk1", "participant"],
        ["zk3", "observer"]
      ]
    )
    assert.strictEqual(votersOf(three), 2)
  })

  it("are those that were given alone, where these are as many under other names", () => {
    const given = ["a", "b", "c"].map(at)
    assert.deepStrictEqual(
      membersOf(given, three),
      given.map((address) => ({ address, role: undefined }))
    )
  })

  it("have roles by their hosts, where the configuration tells no addresses for clients", () => {
    const config = configOf(member(1, "participant", ""), member(2, "observer", ""))
    assert.deepStrictEqual(
      membersOf([at("ZK2")], config).map(({ role }) => role),
      ["observer"]
    )
  })

  it("are those that were given, where there is no configuration", () => {
    assert.deepStrictEqual(membersOf([at("zk1")], undefined), [{ address: at("zk1"), role: undefined }])
    assert.isUndefined(votersOf(undefined))
    assert.isUndefined(votersOf(configOf()))
  })
})
