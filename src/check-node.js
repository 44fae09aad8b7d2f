/**
 * Loaded before the portal (`node --import`). Plain JavaScript, because an older Node.js cannot even parse the portal.
 */
const [major] = process.versions.node.split('.')

if (Number(major) < 24) {
  console.error(
    `The portal needs Node.js 24 or newer, and ${process.execPath} is ${process.version}.\n` +
      'Install Node.js 24, or run npm ci without --omit=dev, which brings it for npm scripts.',
  )
  process.exit(1)
}
