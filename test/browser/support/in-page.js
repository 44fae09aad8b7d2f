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

globalThis.inPage = { sticksOut, styleAt, moving }
