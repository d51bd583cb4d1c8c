/** The clocks of members beside that of this machine. */
import * as FourLetterWords from "@effect-zookeeper/cli/FourLetterWords"
import type * as MemberStatus from "@effect-zookeeper/cli/MemberStatus"
import * as Transport from "@effect-zookeeper/transport/Transport"
import * as ZooKeeperServer from "@effect-zookeeper/test-kit/ZooKeeperServer"
import { itLive } from "@effect-zookeeper/test-kit/TestWith"
import { assert, describe } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { checkClock } from "../../src/internal/doctor/clockCheck.ts"
import { member } from "../support/members.ts"
import { settingsOf } from "../support/settings.ts"

/** Asks a server whose clock is off by this time. */
const askWith =
  (offset: number): MemberStatus.Ask =>
  (server, word) =>
    FourLetterWords.ask(server, word).pipe(
      Effect.map((answer) => {
        if (!Array.isArray(answer)) return answer
        const shifted = answer.map((connection) => ({ ...connection, established: connection.established + offset }))
        return shifted as unknown as typeof answer
      }),
      Effect.provide(Transport.layer())
    )

describe("the check of clocks", () => {
  itLive("names a member whose clock is seconds off, and no other", function* () {
    const { connectString, port } = yield* ZooKeeperServer.make()
    const settings = settingsOf(connectString)
    const options = { settings, path: "/", timeout: Duration.seconds(5) }
    const server = { ...member("zk1"), address: { host: "127.0.0.1", port } }
    const check = (offset: number) =>
      Effect.map(checkClock(server, askWith(offset), options), (found) => found.map(({ message }) => message))
    assert.deepStrictEqual(yield* check(0), [])
    assert.match((yield* check(90_000)).join(), /^its clock is (8\d|90)\.\d s ahead of that of this machine$/)
    assert.match((yield* check(-90_000)).join(), /^its clock is (8\d|90)\.\d s behind that of this machine$/)
  })
})
