/** IPv6 addresses in ACLs. */
import { assert, describe, it } from "@effect/vitest"
import { matchesIpv6, parseIpv6 } from "../../src/internal/state/ipv6.ts"

describe("an IPv6 address", () => {
  it("may leave out zeros once, and have a number of bits", () => {
    assert.deepStrictEqual(parseIpv6("::1")?.segments, [0, 0, 0, 0, 0, 0, 0, 1])
    assert.deepStrictEqual(parseIpv6("::")?.segments, [0, 0, 0, 0, 0, 0, 0, 0])
    assert.deepStrictEqual(parseIpv6("2001:DB8::/32"), { segments: [0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], bits: 32 })
    assert.deepStrictEqual(parseIpv6("1:2:3:4:5:6:7:8")?.segments, [1, 2, 3, 4, 5, 6, 7, 8])
  })

  it("is not every text with a colon", () => {
    const wrong = [
      "127.0.0.1",
      "",
      ":",
      "1::2::3",
      "1:2:3",
      "1:2:3:4:5:6:7:8:9",
      "::12345",
      "::g",
      "::/129",
      "::/x",
      "::1/1/1"
    ]
    for (const text of wrong) assert.isUndefined(parseIpv6(text), text)
  })

  it("is within a range if its first bits are the same", () => {
    assert.isTrue(matchesIpv6("2001:db8::/32", "2001:db8:1::7"))
    assert.isFalse(matchesIpv6("2001:db8::/32", "2001:db9::"))
    assert.isTrue(matchesIpv6("2001:db8::/31", "2001:db9::"))
    assert.isTrue(matchesIpv6("::/0", "fe80::1"))
    assert.isTrue(matchesIpv6("::1", "0:0:0:0:0:0:0:1"))
    assert.isFalse(matchesIpv6("::1", "::2"))
    assert.isFalse(matchesIpv6("::/0", "127.0.0.1"))
  })
})
