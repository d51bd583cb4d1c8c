/**
 * How prose is written here, as far as a pattern can tell: in markdown, comments, titles of tests and messages.
 *
 * CONTRIBUTING.md has the reasons and examples.
 */
export interface Rule {
  readonly name: string
  readonly pattern: RegExp
  /** What to write. */
  readonly advice: string
}

export const rules: ReadonlyArray<Rule> = [
  {
    name: "who without a noun",
    pattern:
      /\b(?:for|of|to|by|from|than|that|as|like|is|and) who(?:ever)?\b(?! (?:is|was|are) asked)|(?:^|[.:;] )Who(?:ever)? [a-z]+ (?![^.]*\?)/,
    advice: "name them: the caller, the owner, a client that …"
  },
  {
    name: "what at the head of a sentence",
    pattern:
      /(?:^|[.:;] )What (?:is|was|are|were|has|had|cannot|can|must|needs|stands|comes|goes|waits|fails|the|a|an|it|they|this|others?) (?![^.]*\?)/,
    advice: "begin with the noun: the value, a request that …"
  },
  {
    name: "that is none",
    pattern: /\bthat (?:is|are) none\b/,
    advice: "an invalid path, no such option"
  },
  {
    name: "of ours",
    pattern: /\bof (?:ours|theirs|yours)\b/,
    advice: "our queue, their own"
  },
  { name: "whoever", pattern: /\bwhoever\b/i, advice: "name them: the next owner, any client" },
  { name: "stands", pattern: /\bstands?\b(?! (?:for|out|by|still)\b)/, advice: "`is`, or the verb that says more" },
  { name: "strangers", pattern: /\bstrangers?\b/i, advice: "say which: other clients, new contributors" },
  { name: "doors", pattern: /\bdoors?\b/i, advice: "a listener or a member of the ensemble" },
  { name: "the truth", pattern: /\bthe (?:new )?truth\b/i, advice: "the current state" },
  { name: "nobody", pattern: /\bnobody\b/i, advice: "say what does not happen: no client, no other owner" }
]
