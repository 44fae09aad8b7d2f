// Runs in every page before its own scripts: what a test has to ask the page itself.

// Chromium tells the console only of what it blocks; this tells of what it would block, too, and of where.
document.addEventListener('securitypolicyviolation', (event) => {
  const { effectiveDirective, disposition, blockedURI, sourceFile, lineNumber, sample } = event
  // oxlint-disable-next-line no-console -- the console of the page, which is watched
  console.error(`CSP ${disposition} ${effectiveDirective}`, blockedURI, `${sourceFile}:${lineNumber}`, sample)
})

const sticksOut = () =>
  document.documentElement.scrollWidth <= innerWidth
    ? []
    : [...document.body.querySelectorAll('*')]
        .filter((element) => element.getBoundingClientRect().right > innerWidth + 1)
        .map((element) => `sticks out at ${innerWidth}: ${element.outerHTML.slice(0, 160)}`)
        .slice(0, 1)

const styleOf = (element, property, pseudo) => getComputedStyle(element, pseudo).getPropertyValue(property)
const styleAt = (selector, property, pseudo) => styleOf(document.querySelector(selector), property, pseudo)

/** What takes its time to look different. */
const moving = () =>
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
/** How it is seen that one is there. A box to tick has its ring around its label, too; the skip link is not there else. */
const showing = (element) =>
  [...ringOf(element), ...ringOf(element.closest('.ds-field') ?? element), element.offsetWidth].join()

const isInSight = (element) => {
  const [{ x, y, width, height }] = element.getClientRects()
  const there = document.elementFromPoint(x + width / 2, y + height / 2)
  return element.contains(there)
}

let left
/** What is wrong with where Tab has led, and with how the stop before looks now that it is left; null behind the last one. */
const faultsOfStop = () => {
  const here = document.activeElement
  const faults = []
  if (left && showing(left.element) === left.shown)
    faults.push(`does not show that it is reached: ${left.element.outerHTML.slice(0, 160)}`)
  left = undefined
  if (here === document.body) return null
  left = { element: here, shown: showing(here) }
  if (!isInSight(here)) faults.push(`is not in sight: ${here.outerHTML.slice(0, 160)}`)
  return faults
}

/** What keeps rows from being read as cards: facts beside each other, cut off, or without what their column is called. */
const notAsCards = () => {
  const columns = [...document.querySelectorAll('main thead th')].map((heading) => heading.textContent.trim())
  return [...document.querySelectorAll('main tbody tr')].flatMap((row) =>
    [...row.cells]
      .filter((cell, at) => {
        const above = row.cells[at - 1]?.getBoundingClientRect().bottom ?? 0
        const isBelow = cell.getBoundingClientRect().top >= above - 1
        const isNamed = styleOf(cell, 'content', '::before') === `"${columns[at]}"`
        return !isBelow || !isNamed || cell.scrollWidth > cell.clientWidth
      })
      .map((cell) => cell.outerHTML.slice(0, 160)),
  )
}

/** What can be pressed or filled in and has no line around it that is seen on the ground of the page. */
const withoutEdge = () =>
  [...document.querySelectorAll('.ds-button, .ds-chip, .ds-input')]
    .filter((element) => {
      const [style, width, color] = ['style', 'width', 'color'].map((what) => styleOf(element, `border-top-${what}`))
      const ground = styleAt('body', 'background-color')
      return element.checkVisibility() && (style === 'none' || width === '0px' || color === ground)
    })
    .map((element) => element.outerHTML.slice(0, 160))

/** From here on: the milliseconds that what begins to move will take, the longest so far. */
const watchMoves = () => {
  globalThis.longestMove = 0
  for (const begun of ['transitionrun', 'animationstart'])
    document.addEventListener(begun, ({ target }) => {
      for (const { effect } of target.getAnimations({ subtree: true }))
        globalThis.longestMove = Math.max(globalThis.longestMove, effect.getComputedTiming().activeDuration)
    })
}

globalThis.inPage = { sticksOut, styleAt, moving, faultsOfStop, notAsCards, withoutEdge, watchMoves }
