/**
 * Rows of one height, of which only those in sight are elements: a hundred thousand cost as much as forty.
 *
 * Because the height is fixed, a position is a multiplication. The libraries for virtual lists keep an entry for each row,
 * and make all of them again when the number changes, which here happens hundreds of times a second.
 */
import { type Accessor, createEffect, createMemo, createSignal, For, type JSX, onCleanup, onMount } from "solid-js"

/** Height of a row in pixels; `--row` of the style sheet. */
export const rowHeight = 28

/** Browsers stop at about 33 million pixels for an element. */
const maxHeight = 30_000_000

export interface Scroller {
  /** Scrolls as little as is needed to show a row. */
  readonly reveal: (index: number) => void
  /** Keeps what is in sight where it is, after rows above have come or gone. */
  readonly shift: (rows: number) => void
  readonly focus: () => void
  readonly firstInSight: () => number
  readonly rowsInSight: () => number
}

export const VirtualRows = (props: {
  readonly count: number
  /** A key that stays the same while a row is the same one, so that its element stays. It may read signals. */
  readonly keyAt: (index: number) => string
  readonly children: (key: string, index: Accessor<number>) => JSX.Element
  readonly onSight?: (first: number, last: number) => void
  /** The rows have a height again, after they had none because something else was in front. */
  readonly onAppear?: () => void
  /** Attributes of the element that scrolls, which is in the order of the keyboard. */
  readonly scroller?: JSX.HTMLAttributes<HTMLDivElement>
  readonly ref?: (scroller: Scroller) => void
}) => {
  let viewport!: HTMLDivElement
  let all!: HTMLDivElement
  const heightOfAll = () => `${Math.min(maxHeight, props.count * rowHeight)}px`
  const [top, setTop] = createSignal(0)
  const [height, setHeight] = createSignal(600)

  onMount(() => {
    const observer = new ResizeObserver(() => {
      const before = height()
      setHeight(viewport.clientHeight)
      if (before === 0 && viewport.clientHeight > 0) props.onAppear?.()
    })
    observer.observe(viewport)
    onCleanup(() => observer.disconnect())
    props.ref?.({
      reveal: (index) => {
        const wanted = index * rowHeight
        // A browser scrolls no further than the rows that it knows.
        all.style.height = heightOfAll()
        if (wanted < viewport.scrollTop) viewport.scrollTop = wanted
        else if (wanted + rowHeight > viewport.scrollTop + viewport.clientHeight) {
          viewport.scrollTop = wanted + rowHeight - viewport.clientHeight
        }
        setTop(viewport.scrollTop)
      },
      shift: (rows) => {
        if (rows === 0) return
        viewport.scrollTop += rows * rowHeight
        setTop(viewport.scrollTop)
      },
      focus: () => viewport.focus({ preventScroll: true }),
      firstInSight: () => Math.ceil(viewport.scrollTop / rowHeight),
      rowsInSight: () => Math.max(1, Math.floor(viewport.clientHeight / rowHeight))
    })
  })

  const margin = 6
  const first = createMemo(() =>
    Math.max(
      0,
      Math.min(Math.floor(top() / rowHeight) - margin, props.count - Math.ceil(height() / rowHeight) - margin)
    )
  )
  const last = createMemo(() => Math.min(props.count, first() + Math.ceil(height() / rowHeight) + 2 * margin + 1))
  const keys = createMemo(() =>
    Array.from({ length: Math.max(0, last() - first()) }, (_, i) => props.keyAt(first() + i))
  )
  createEffect(() => props.onSight?.(first(), last()))

  return (
    <div {...props.scroller} ref={viewport} class="rows" tabindex="0" onScroll={() => setTop(viewport.scrollTop)}>
      <div ref={all} class="rows-all" role="presentation" style={{ height: heightOfAll() }}>
        <div class="rows-shown" role="presentation" style={{ transform: `translateY(${first() * rowHeight}px)` }}>
          <For each={keys()}>{(key, index) => props.children(key, () => first() + index())}</For>
        </div>
      </div>
    </div>
  )
}
