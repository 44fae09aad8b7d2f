// Runs in every page before its own scripts: functions for what only the page itself can measure.

// Chromium logs only enforced violations; this also logs report-only ones, with their position.
document.addEventListener('securitypolicyviolation', (event) => {
  const { effectiveDirective, disposition, blockedURI, sourceFile, lineNumber, sample } = event
  // oxlint-disable-next-line no-console -- the console of the page, which is watched
  console.error(`CSP ${disposition} ${effectiveDirective}`, blockedURI, `${sourceFile}:${lineNumber}`, sample)
})

const overflowing = () =>
  document.documentElement.scrollWidth <= innerWidth
    ? []
    : [...document.body.querySelectorAll('*')]
        .filter((element) => element.getBoundingClientRect().right > innerWidth + 1)
        .map((element) => `overflows at ${innerWidth}: ${element.outerHTML.slice(0, 160)}`)
        .slice(0, 1)

const styleOf = (element, property, pseudo) => getComputedStyle(element, pseudo).getPropertyValue(property)
const styleAt = (selector, property, pseudo) => styleOf(document.querySelector(selector), property, pseudo)

/** Elements with a transition or an animation. */
const animated = () =>
  [...document.querySelectorAll('*')]
    .filter((element) =>
      ['transition-duration', 'animation-duration']
        .flatMap((property) => styleOf(element, property).split(','))
        .some((duration) => Number.parseFloat(duration) > 0.01),
    )
    .map((element) => element.outerHTML.slice(0, 80))

const ringOf = (element) => [
  styleOf(element, 'outline-style') === 'none' ? '' : styleOf(element, 'outline'),
  styleOf(element, 'box-shadow'),
]
/** How an element shows its focus. A row's link has its ring around its row; the skip link only appears with focus. */
const showing = (element) => [...ringOf(element), styleOf(element, 'outline', '::after'), element.offsetWidth].join()

const isInSight = (element) => {
  const [{ x, y, width, height }] = element.getClientRects()
  const there = document.elementFromPoint(x + width / 2, y + height / 2)
  return element.contains(there)
}

let left
/** Faults of the focused element, and of the previous one without its focus; null after the last Tab stop. */
const focusFaults = () => {
  const here = document.activeElement
  const faults = []
  if (left && showing(left.element) === left.shown)
    faults.push(`does not show its focus: ${left.element.outerHTML.slice(0, 160)}`)
  left = undefined
  if (here === document.body) return null
  left = { element: here, shown: showing(here) }
  if (!isInSight(here)) faults.push(`is not visible: ${here.outerHTML.slice(0, 160)}`)
  return faults
}

/** Whether all of an element is in the window, and in the ancestors that clip or scroll. */
const isWithinAll = (element) => {
  const { left: start, right: end } = element.getBoundingClientRect()
  const isWithin = (from, to) => start >= from - 1 && end <= to + 1
  for (let parent = element.parentElement; parent; parent = parent.parentElement) {
    const { left: from, right: to } = parent.getBoundingClientRect()
    if (styleOf(parent, 'overflow-x') !== 'visible' && !isWithin(from, to)) return false
  }
  return isWithin(0, innerWidth)
}

/** Whether a cell that is hidden has nothing to say, or its words stand elsewhere in its row. */
const isFolded = (cell) => {
  if (cell.classList.contains('none')) return true
  const shown = cell.parentElement.innerText.replaceAll(/\s+/g, ' ')
  return cell.textContent
    .trim()
    .split(/\s+/)
    .every((word) => shown.includes(word))
}

/**
 * Cells of tables and values that are cut off or out of sight, and hidden cells whose words do not stand elsewhere in
 * their row.
 */
const cellFaults = () =>
  [...document.querySelectorAll('main :is(thead th, tbody th, tbody td, dd)')]
    .filter((cell) => cell.closest('table, dl').checkVisibility())
    .filter((cell) => {
      if (!cell.checkVisibility()) return cell.closest('tbody') && !isFolded(cell)
      return cell.scrollWidth > cell.clientWidth + 1 || !isWithinAll(cell)
    })
    .map((cell) => `cut off or out of sight at ${innerWidth}: ${cell.outerHTML.slice(0, 160)}`)

/** Words of headings and of what the portal calls things that stand on two lines, broken in the middle. */
const brokenWords = () =>
  [...document.querySelectorAll('main :is(th, dt, .c-middle)')]
    .filter((element) => element.checkVisibility())
    .flatMap((element) => textsIn(element).flatMap(wordsIn))
    .filter(([, range]) => new Set([...range.getClientRects()].map(({ top }) => Math.round(top))).size > 1)
    .map(([word]) => `broken at ${innerWidth}: ${word}`)

const textsIn = (element) => {
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT)
  const texts = []
  while (walker.nextNode()) texts.push(walker.currentNode)
  return texts
}

const wordsIn = (text) =>
  [...text.data.matchAll(/\p{L}+/gu)].map(({ 0: word, index }) => {
    const range = new Range()
    range.setStart(text, index)
    range.setEnd(text, index + word.length)
    return [word, range]
  })

/** Controls without a border that contrasts with the page's background. */
const withoutBorder = () =>
  [...document.querySelectorAll('.ds-button, .ds-chip, main .ds-input')]
    .filter((element) => {
      const [style, width, color] = ['style', 'width', 'color'].map((what) => styleOf(element, `border-top-${what}`))
      const background = styleAt('body', 'background-color')
      return element.checkVisibility() && (style === 'none' || width === '0px' || color === background)
    })
    .map((element) => element.outerHTML.slice(0, 160))

/** Records from now on the duration of the longest animation, in milliseconds. */
const recordAnimations = () => {
  globalThis.longestAnimation = 0
  for (const begun of ['transitionrun', 'animationstart'])
    document.addEventListener(begun, ({ target }) => {
      for (const { effect } of target.getAnimations({ subtree: true }))
        globalThis.longestAnimation = Math.max(globalThis.longestAnimation, effect.getComputedTiming().activeDuration)
    })
}

/** What changes without a change of the page: tokens, open menus, marks of libraries, and the time of the last check. */
const volatile =
  /^(open|aria-busy|aria-expanded|style|value|checked|selected|data-htmx-.*|data-done|data-session-timeout|content)$/
const isVolatile = (element) => element.matches('script, link, meta, template, .fresh, .print-only, [name=_csrf]')

/** The document as text: elements, attributes, states of controls and texts, a line each. */
const outline = (element = document.documentElement, indent = '') => {
  if (isVolatile(element)) return []
  const attributes = [...element.attributes]
    .filter(({ name }) => !volatile.test(name))
    .map(({ name, value }) => `${name}=${value.replace(location.origin, '')}`)
    .toSorted()
  const state = element.matches('input, select, button') ? [`value=${element.value}`, `checked=${element.checked}`] : []
  const lines = [`${indent}<${[element.localName, ...attributes, ...state].join(' ')}>`]
  for (const child of element.childNodes) {
    if (child instanceof Element) lines.push(...outline(child, `${indent} `))
    else if (child instanceof Text && child.data.trim() !== '') lines.push(`${indent} ${child.data.trim()}`)
  }
  return lines
}

/** Where the list's controls and heads are: none of them moves while one filters, sorts or pages. */
const places = () =>
  [...document.querySelectorAll('h1, #q, .filters summary, main thead th')]
    .filter((element) => element.checkVisibility())
    .map((element) => {
      const { x, y } = element.getBoundingClientRect()
      return `${element.localName} ${element.innerText.split(/[\n:]/)[0]}: ${Math.round(x)} ${Math.round(y + scrollY)}`
    })

let shifts = []
new PerformanceObserver((entries) => shifts.push(...entries.getEntries())).observe({ type: 'layout-shift' })
const forgetShifts = () => {
  shifts = []
}
/** What the browser has counted as layout shifts since then, except rows and what stands below them. */
const shifted = async () => {
  await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)))
  const rows = document.querySelector('#results :is(.list, .empty)')
  const follows = Node.DOCUMENT_POSITION_FOLLOWING | Node.DOCUMENT_POSITION_CONTAINED_BY
  return shifts
    .flatMap(({ sources }) => sources)
    .filter(({ node }) => node?.isConnected && !(rows.compareDocumentPosition(node) & follows) && node !== rows)
    .map(({ node, previousRect: from, currentRect: to }) => {
      const text = (node.outerHTML ?? node.data).slice(0, 100)
      return `from ${from.x} ${from.y} to ${to.x} ${to.y}: ${text}`
    })
}

/** The controls of a list, as selectors: filters, heads, tabs, pager and size. */
const controls = () => {
  const options = [...document.querySelectorAll('.filters :is(input[type=checkbox], input[type=radio]):not(:checked)')]
  const heads = [...document.querySelectorAll('main thead button')]
  const links = [...document.querySelectorAll('.status-tabs a:not([aria-current]), .page-links a[href]')]
  return [
    ...options.map(({ name, value }) => `.filters [name="${name}"][value="${CSS.escape(value)}"]`),
    ...heads.map(({ value }) => `main thead button[value="${value}"]`),
    ...links.map((link) => `#results a[href="${link.getAttribute('href')}"]`),
  ]
}

globalThis.inPage = {
  outline,
  places,
  controls,
  overflowing,
  styleAt,
  animated,
  focusFaults,
  cellFaults,
  brokenWords,
  withoutBorder,
  recordAnimations,
  forgetShifts,
  shifted,
}
