/**
 * Small histories, each with one mistake that the checker must find, and some that look wrong and are not.
 */
import type { Operation } from "../../src/history/History.ts"

let count = 0

/** One operation of a history that a test writes by hand. */
export function operation({
  span: [invokedAt, completedAt],
  ...rest
}: Partial<Operation> & Pick<Operation, "f"> & { readonly span: readonly [number, number] }): Operation {
  return {
    id: `o${++count}`,
    client: "a",
    session: "s",
    path: "/r",
    outcome: "ok",
    ...(rest.f === "read" ? { synced: true } : {}),
    ...rest,
    invokedAt,
    completedAt
  }
}

const create = operation({ f: "create", value: "0", version: 0, mzxid: 1n, span: [0, 1] })
const write = operation({ f: "write", value: "1", version: 1, mzxid: 2n, span: [2, 4] })

/** A write of version 0 that was refused for there was another one. */
const refused = (...span: readonly [number, number]) =>
  operation({ f: "write", value: "7", expected: 0, outcome: "fail", error: "BadVersion", span })

export function mutations(): ReadonlyArray<readonly [name: string, caught: RegExp, history: ReadonlyArray<Operation>]> {
  const read = operation({ f: "read", value: "1", version: 1, mzxid: 2n, session: "t", client: "b", span: [6, 8] })
  const unknown = { outcome: "info", completedAt: Number.POSITIVE_INFINITY } as const
  const watch = operation({ f: "watch", id: "w", value: "0", version: 0, mzxid: 1n, session: "t", span: [1.5, 1.8] })
  const event = operation({ f: "event", of: "w", session: "t", span: [5, 5] })
  const stream = operation({ f: "observe", id: "x", session: "t", span: [1.2, 1.3] })
  const saw = (mzxid: bigint, at: number) => operation({ f: "observed", of: "x", mzxid, session: "t", span: [at, at] })
  const hold = (client: string, token: bigint, from: number, to: number, kind: Partial<Operation> = {}) => {
    const acquire = operation({ f: "acquire", client, token, ...kind, span: [from - 1, from] })
    return [acquire, operation({ f: "release", client, of: acquire.id, span: [to, to + 1] })]
  }
  const two = { limit: 2 }
  const increment = (count: number, from: number, to: number) => operation({ f: "increment", count, span: [from, to] })
  const offer = (value: string, at: number) => operation({ f: "offer", value, span: [at, at + 1] })
  const take = (value: string | undefined, at: number) => operation({ f: "take", value, span: [at, at + 1] })
  const own = operation({ f: "create", ephemeral: true, span: [0, 1] })
  const alive = operation({ f: "alive", span: [10, 10] })
  return [
    ["a read of an old value", /version 1 was known/, [create, write, { ...read, value: "0", version: 0, mzxid: 1n }]],
    ["a value from nowhere", /never written|two values/, [create, write, { ...read, value: "9" }]],
    ["two values of one version", /two values/, [create, write, { ...read, value: "0" }]],
    ["two writers of one version", /two writers/, [create, write, { ...write, id: "z", value: "2" }]],
    ["a version without a writer", /version 1 has no explanation/, [create, { ...write, version: 2 }]],
    [
      "a version whose only explanation was asked later",
      /version 1 has no explanation/,
      [create, { ...write, version: 2 }, operation({ f: "write", value: "x", ...unknown, span: [9, Infinity] })]
    ],
    [
      "two versions explained by one unknown write",
      /has no explanation/,
      [create, operation({ f: "write", value: "x", ...unknown, span: [1.5, Infinity] }), { ...write, version: 3 }]
    ],
    [
      "a lost write that was acknowledged",
      /two writers|was known before/,
      [create, write, operation({ f: "write", value: "2", version: 1, mzxid: 3n, span: [9, 10] })]
    ],
    [
      "a refused write that is there",
      /was refused/,
      [create, { ...write, outcome: "fail", error: "BadVersion", expected: 4, version: undefined }, read]
    ],
    [
      "a write applied twice",
      /is version 1, and was read|no explanation/,
      [create, write, { ...read, version: 2, mzxid: 3n }]
    ],
    ["a conditional write of another version", /made another than the next/, [create, { ...write, expected: 3 }]],
    ["a BadVersion for the version that was there all the time", /no explanation/, [create, refused(2, 3)]],
    [
      "a znode that vanished",
      /never deleted/,
      [create, { ...read, outcome: "fail", error: "NoNode", version: undefined }]
    ],
    ["a version that is two transactions", /two transactions/, [create, write, { ...read, mzxid: 7n }]],
    ["a later version of an earlier transaction", /earlier transaction/, [{ ...create, mzxid: 5n }, write]],
    [
      "a read before its write was asked",
      /was known before/,
      [create, { ...read, invokedAt: 1.1, completedAt: 1.2 }, write]
    ],
    [
      "a session that went back",
      /session t knew/,
      [
        create,
        write,
        { ...read, synced: false },
        { ...read, synced: false, id: "b", value: "0", version: 0, mzxid: 1n, invokedAt: 9, completedAt: 10 }
      ]
    ],
    [
      "a session that did not see its own write",
      /session s knew/,
      [create, write, operation({ f: "read", synced: false, value: "0", version: 0, mzxid: 1n, span: [5, 6] })]
    ],
    [
      "a create of what is there",
      /no order of the operations/,
      [create, { ...create, id: "z", value: "00", invokedAt: 2, completedAt: 3 }]
    ],
    [
      "a read of what was deleted",
      /no order of the operations/,
      [create, operation({ f: "delete", span: [2, 3] }), operation({ f: "read", value: "0", span: [4, 5] })]
    ],
    ["a watch that never fired", /never told|seen before the event/, [create, watch, write, read]],
    [
      "a watch that fired after the new state was read",
      /seen before the event/,
      [create, watch, write, read, { ...event, invokedAt: 9, completedAt: 9 }]
    ],
    [
      "a watch that fired after the new state was read, while another client stood still",
      /seen before the event/,
      [
        create,
        watch,
        write,
        read,
        operation({ f: "pause", client: "another", span: [5, 9] }),
        { ...event, invokedAt: 9, completedAt: 9 }
      ]
    ],
    ["a watch that fired twice", /two events/, [create, watch, write, event, { ...event, id: "e2" }]],
    ["a watch that fired for nothing", /was not made/, [create, watch, event]],
    ["a stream that missed the last state", /ended at transaction 1/, [create, stream, saw(1n, 1.5), write]],
    ["a stream that went back", /went from/, [create, stream, write, saw(2n, 5), saw(1n, 6), saw(2n, 7)]],
    ["two holders", /two held it for 0.00 ms/, [...hold("a", 1n, 1, 10), ...hold("b", 2n, 5, 6)]],
    [
      "three holders of a semaphore of two",
      /two held/,
      [...hold("a", 1n, 1, 10, two), ...hold("b", 2n, 2, 9, two), ...hold("c", 3n, 3, 4, two)]
    ],
    ["a writer beside a reader", /two held/, [...hold("a", 1n, 1, 10, { shared: true }), ...hold("b", 2n, 5, 6)]],
    ["a token that did not grow", /token 1 came after 2/, [...hold("a", 2n, 1, 3), ...hold("b", 1n, 5, 6)]],
    ["a token that came again", /token 2 came after 2/, [...hold("a", 2n, 1, 3), ...hold("b", 2n, 5, 6)]],
    [
      "a resource that took a lower token",
      /accepted token 1 after 2/,
      [operation({ f: "fenced", token: 2n, span: [0, 1] }), operation({ f: "fenced", token: 1n, span: [2, 3] })]
    ],
    ["a counter that gave a value twice", /1 after/, [increment(1, 0, 5), increment(1, 1, 6)]],
    ["a counter that went back", /1 after 2/, [increment(2, 0, 1), increment(1, 2, 3)]],
    [
      "a counter that lost an increment",
      /1 after 2|2 to 2 are possible/,
      [increment(1, 0, 1), increment(2, 2, 3), operation({ f: "total", count: 1, span: [4, 5] })]
    ],
    [
      "a counter that counted too much",
      /1 to 1 are possible/,
      [increment(1, 0, 1), operation({ f: "total", count: 2, span: [4, 5] })]
    ],
    ["an element handed out twice", /twice/, [offer("x", 0), take("x", 2), take("x", 4)]],
    ["an element that was never put in", /never put in/, [take("x", 2)]],
    ["an element that was lost", /1 lost, where 0/, [offer("x", 0), take(undefined, 2)]],
    [
      "an ephemeral that its living session does not find",
      /session s lives/,
      [own, operation({ f: "read", ephemeral: true, outcome: "fail", error: "NoNode", span: [2, 3] })]
    ],
    [
      "an ephemeral that outlived its session",
      /its session has ended/,
      [own, alive, operation({ f: "read", ephemeral: true, owner: "old", span: [11, 12] })]
    ]
  ]
}

export function allowed(): ReadonlyArray<readonly [name: string, history: ReadonlyArray<Operation>]> {
  const late = operation({ f: "write", value: "2", outcome: "info", span: [2, Infinity] })
  return [
    [
      "a stale read that did not ask for more",
      [
        create,
        write,
        operation({ f: "read", synced: false, session: "t", value: "0", version: 0, mzxid: 1n, span: [5, 6] })
      ]
    ],
    [
      "an unknown write that came late",
      [
        create,
        late,
        write,
        operation({ f: "read", value: "1", version: 1, mzxid: 2n, span: [5, 6] }),
        operation({ f: "read", value: "2", version: 2, mzxid: 3n, span: [7, 8] })
      ]
    ],
    [
      "a watch whose client stood still between the new state and the event",
      [
        create,
        operation({ f: "watch", id: "w", session: "s", value: "0", version: 0, mzxid: 1n, span: [1, 2] }),
        { ...write, session: "s" },
        operation({ f: "pause", span: [4, 9] }),
        operation({ f: "event", of: "w", session: "s", span: [9, 9] })
      ]
    ],
    ["a version of an unknown write that no read saw", [create, late, { ...write, version: 2, mzxid: 3n }]],
    ["a BadVersion beside a write", [create, write, refused(3, 5)]],
    ["a BadVersion that only an unknown write explains", [create, late, refused(3, 5)]],
    [
      "a lock that is handed on in the moment of the release",
      [
        operation({ f: "acquire", id: "h", client: "a", token: 1n, span: [0, 1] }),
        operation({ f: "release", of: "h", client: "a", span: [5, 9] }),
        operation({ f: "acquire", client: "b", token: 2n, span: [2, 6] })
      ]
    ],
    [
      "a lock whose holder crashed",
      [
        operation({ f: "acquire", client: "a", token: 1n, span: [0, 1] }),
        operation({ f: "crash", client: "a", span: [3, 3] }),
        operation({ f: "acquire", client: "b", token: 2n, span: [2, 6] })
      ]
    ],
    [
      "a loss that an unknown take explains",
      [
        operation({ f: "offer", value: "x", span: [0, 1] }),
        operation({ f: "take", outcome: "info", span: [2, Infinity] })
      ]
    ],
    [
      "a total between what was done and what is unknown",
      [
        operation({ f: "increment", count: 1, span: [0, 1] }),
        operation({ f: "increment", outcome: "info", span: [1, Infinity] }),
        operation({ f: "total", count: 2, span: [2, 3] })
      ]
    ]
  ]
}
