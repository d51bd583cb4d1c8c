import { assert, describe, it } from "@effect/vitest"
import * as ErrorCode from "../../src/ErrorCode.ts"
import * as Operations from "../../src/Operations.ts"
import * as ServerError from "../../src/ServerError.ts"
import * as WatchEvent from "../../src/WatchEvent.ts"

const names = Object.keys(ServerError.classes) as ReadonlyArray<ServerError.Name>

describe("error codes", () => {
  it("are those of ZooKeeper", () => {
    assert.deepStrictEqual(ErrorCode.codes, {
      Ok: 0,
      SystemError: -1,
      RuntimeInconsistency: -2,
      DataInconsistency: -3,
      ConnectionLoss: -4,
      MarshallingError: -5,
      Unimplemented: -6,
      OperationTimeout: -7,
      BadArguments: -8,
      InvalidState: -9,
      UnknownSession: -12,
      NewConfigNoQuorum: -13,
      ReconfigInProgress: -14,
      APIError: -100,
      NoNode: -101,
      NoAuth: -102,
      BadVersion: -103,
      NoChildrenForEphemerals: -108,
      NodeExists: -110,
      NotEmpty: -111,
      SessionExpired: -112,
      InvalidCallback: -113,
      InvalidACL: -114,
      AuthFailed: -115,
      Closing: -116,
      Nothing: -117,
      SessionMoved: -118,
      NotReadOnly: -119,
      EphemeralOnLocalSession: -120,
      NoWatcher: -121,
      RequestTimeout: -122,
      ReconfigDisabled: -123,
      SessionClosedRequireSaslAuth: -124,
      QuotaExceeded: -125,
      ThrottledOp: -127
    })
  })

  it("have names, and unknown ones say their number", () => {
    for (const [name, code] of Object.entries(ErrorCode.codes)) assert.strictEqual(ErrorCode.nameOf(code), name)
    for (const code of [-126, -128, 1, -(2 ** 31)]) assert.strictEqual(ErrorCode.nameOf(code), `Unknown(${code})`)
  })
})

describe("fromCode", () => {
  for (const name of names) {
    it(`makes a ${name} only where the row names it`, () => {
      const subject = { path: "/app/x", operation: "setData" }
      const code = ErrorCode.codes[name]
      const error = ServerError.fromCode(code, names, subject)
      assert.isTrue(error instanceof ServerError.classes[name])
      assert.strictEqual(error!._tag, name)
      assert.match(error!.message, /^setData \/app\/x: \w/)
      assert.isUndefined(
        ServerError.fromCode(
          code,
          names.filter((other) => other !== name),
          subject
        )
      )
      assert.isUndefined(ServerError.fromCode(code, [], subject))
    })

    it(`${name} is in some row`, () => {
      assert.isTrue(Operations.all.some((row) => row.errors.includes(name)))
    })
  }

  it("makes nothing of success, nor of codes without a class", () => {
    const subject = { path: "/", operation: "create" }
    for (const code of [0, -1, -4, -112, -126, 5]) assert.isUndefined(ServerError.fromCode(code, names, subject))
  })

  it("says of a create that the parent is what is missing", () => {
    for (const operation of ["create", "create2", "createContainer", "createTTL"]) {
      const error = ServerError.fromCode(-101, ["NoNode"], { path: "/a/b", operation })
      assert.strictEqual(
        error?.message,
        `${operation} /a/b: the parent znode does not exist; create it first, or use createWithParents`
      )
    }
    const error = ServerError.fromCode(-101, ["NoNode"], { path: "/a/b", operation: "getData" })
    assert.strictEqual(error?.message, "getData /a/b: the znode does not exist")
  })
})

describe("types of watch events", () => {
  it("are found by their number", () => {
    assert.deepStrictEqual(WatchEvent.types, {
      NodeCreated: 1,
      NodeDeleted: 2,
      NodeDataChanged: 3,
      NodeChildrenChanged: 4
    })
    for (const [name, code] of Object.entries(WatchEvent.types)) assert.strictEqual(WatchEvent.typeOf(code), name)
  })

  it("are unknown for numbers of client-side events, and for numbers without a meaning", () => {
    for (const code of [-1, 0, 5, 6, 7]) assert.isUndefined(WatchEvent.typeOf(code))
  })
})
