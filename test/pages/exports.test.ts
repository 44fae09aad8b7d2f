import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { parse } from 'csv-parse/sync'
import { readXlsx } from 'hucre/xlsx'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { visibleSalesUnits } from '../../demo/management-api/visibility.ts'
import type { Browser } from '../support/browser.ts'
import { startTestPortal, type TestPortal } from '../support/portal.ts'
import { chipsOf, readRows } from '../support/page-content.ts'

let test: TestPortal
let kari: Browser
let åse: Browser
beforeAll(async () => {
  test = await startTestPortal()
  kari = await test.signedIn('Kari Nordmann')
  åse = await test.signedIn('Åse Bjørk')
})
afterAll(async () => test.stop())

const small = '/partners/12345'
const large = '/partners/23456'

function today() {
  return new Intl.DateTimeFormat('sv-SE', { timeZone: 'Europe/Oslo' }).format(new Date())
}

type File = { status: number; headers: IncomingMessage['headers']; bytes: Buffer }

/** The response as the browser saves it. */
async function download(browser: Browser, path: string, language = 'en', method = 'GET'): Promise<File> {
  const headers = { Cookie: `portal=${browser.cookie('portal')}; language=${language}` }
  const call = get(test.url + path, { headers, method })
  const [answer] = (await once(call, 'response')) as [IncomingMessage]
  const chunks: Buffer[] = []
  for await (const chunk of answer) chunks.push(chunk as Buffer)
  return { status: answer.statusCode ?? 0, headers: answer.headers, bytes: Buffer.concat(chunks) }
}

function tableOf({ bytes }: File, delimiter = ','): string[][] {
  return parse(bytes, { bom: true, delimiter })
}

async function sheetOf({ bytes }: File) {
  const { sheets } = await readXlsx(bytes)
  return sheets[0]?.rows ?? []
}

describe('a CSV file', () => {
  it('has every sales unit of the page, in the same order, with its settings', async () => {
    const file = await download(åse, `${large}/sales-units.csv?sort=-msn`)
    expect(file.status).toBe(200)
    expect(file.headers['content-type']).toBe('text/csv; charset=utf-8')
    expect(file.bytes.subarray(0, 3).toString('hex')).toBe('efbbbf')
    const [headings, ...rows] = tableOf(file)
    expect(headings?.slice(0, 6)).toEqual(['Name', 'MSN', 'Merchant', 'Scheme', 'Business identifier', 'Capture'])
    expect(rows).toHaveLength(60)
    const shown = await readRows(åse, `${large}/sales-units?sort=-msn&size=100`)
    expect(rows.map(([, msn]) => msn)).toEqual(shown.map(([, msn]) => msn))
    for (const row of rows) {
      const unit = test.world.salesUnits.find(({ body }) => body.msn === row[1])?.body
      expect(row[4]).toBe(unit?.businessIdentifier.id)
      const recurring = { true: 'Yes', false: 'No' }[String(unit?.configuration['recurringAllowed'])] ?? ''
      expect(row[headings?.indexOf('Recurring payments') ?? 0]).toBe(recurring)
    }
  })

  it.each([
    ['sales-units', 'q=fitness&market=NO'],
    ['sales-units', 'can=recurringAllowed&sort=merchant&size=50'],
    ['product-orders', ''],
    ['product-orders', 'status=COMPLETED&sort=changed'],
    ['product-orders', 'type=PREFILL&by=-status'],
    ['developers/webhooks', 'q=hooks'],
    ['templates', 'sort=-name'],
    ['price-packages', 'market=DK'],
  ])('of %s has the rows of the page %s', async (list, query) => {
    const rows = tableOf(await download(kari, `${small}/${list}.csv?${query}`)).slice(1)
    const shown = await readRows(kari, `${small}/${list}?${query}`)
    expect(rows).toHaveLength(shown.length)
    expect(rows.length).toBeGreaterThan(0)
    for (const [index, cells] of shown.entries()) {
      const words = rows[index]?.join(' ') ?? ''
      // The first cell of each page row is in one cell of the same row of the file.
      const name = cells[0]?.replace(' No name yet', '') ?? ''
      expect(words.replaceAll("'", '')).toContain(name.split(' ').at(-1)?.replaceAll("'", ''))
    }
  })

  it.each([
    ['en', ','],
    ['nb', ';'],
  ])('in %s separates cells with %s', async (language, delimiter) => {
    const file = await download(kari, `${small}/sales-units.csv`, language)
    expect(file.bytes.toString()).toContain(`"124680"${delimiter}`)
    expect(tableOf(file, delimiter)).toHaveLength(13)
  })

  it('is named after organisation, list and date', async () => {
    const file = await download(åse, `${large}/sales-units.csv`)
    const { headers } = file
    const name = `Fjordkasse & Sønner POS AS – Sales units – ${today()}.csv`
    expect(headers['content-disposition']).toMatch(/^attachment; filename="[\x20-\x7e]+"; filename\*=UTF-8''/)
    expect(nameOf(file)).toBe(name)
    expect(headers['cache-control']).toBe('no-store')
    expect(headers['x-content-type-options']).toBe('nosniff')
  })

  it.each([
    ['sales-units', 'q=fitness&market=NO&can=recurringAllowed&webhooks=none'],
    ['sales-units', 'new=30'],
    ['merchants', 'units=few&new=30'],
    ['merchants', 'orders=some'],
    ['product-orders', 'waiting=1&expiring=3'],
    ['product-orders', 'status=REJECTED&changed=14'],
    ['product-orders', 'reached=viewed&merchant=business:NO:ORG/311900458'],
    ['price-packages', 'market=DK'],
    ['developers/webhooks', 'owner=own'],
  ])('of %s with %s is named after the filter, as the chips say it', async (list, query) => {
    const chips = Object.keys(chipsOf(await kari.open(`${small}/${list}?${query}`)))
    expect(chips).toHaveLength(new URLSearchParams(query).size - (query.startsWith('q=') ? 1 : 0))
    const name = nameOf(await download(kari, `${small}/${list}.csv?${query}`))
    const [, , filter] = name.split(' – ')
    const words = [...(query.startsWith('q=') ? ['fitness'] : []), ...chips]
    expect(filter).toBe(words.join(', ').replaceAll(':', '-'))
  })

  it.each([
    ['product-orders/reminders', 'expiring=3', 'Reminders', 'Expires- within 3 days'],
    ['activity', 'resource=salesUnit&kind=added', 'Activity', 'Sales units, Change- New'],
  ])('of %s with %s is named after the filter as well', async (list, query, title, filter) => {
    const name = nameOf(await download(kari, `${small}/${list}.csv?${query}`))
    expect(name).toBe(`Nordlys Platform AS – ${title} – ${filter} – ${today()}.csv`)
  })

  it('of a long filter ends its name after a word', async () => {
    const q = 'fitness '.repeat(11).trim()
    const name = nameOf(
      await download(kari, `${small}/sales-units.csv?${new URLSearchParams({ q, market: 'NO' }).toString()}`),
    )
    expect(name).toBe(`Nordlys Platform AS – Sales units – ${q}, Market- … – ${today()}.csv`)
  })
})

function nameOf({ headers }: File): string {
  return decodeURIComponent(String(headers['content-disposition']).split("UTF-8''")[1] ?? '')
}

describe('a value that starts like a formula', () => {
  /** Texts of the API, and what the CSV file has; export-formats.test.ts has many more. */
  const formulas: Readonly<Record<string, string>> = {
    '=1+1': "'=1+1",
    '+47 1': "'+47 1",
    '-2': "'-2",
    '@SUM(A1)': "'@SUM(A1)",
    '\t=1': " '=1",
    'a\n=1+1': 'a =1+1',
    'a;=40+6': "a;'=40+6",
    'a";b\r\n=2': 'a";b =2',
    '=cmd|"/c calc"!A1': `'=cmd|'"/c calc"!A1`,
  }

  it('is exported as text in both formats', async () => {
    const [unit] = visibleSalesUnits(test.world, { kind: 'partner', id: '12345' })
    const msn = unit?.body.msn ?? ''
    const rename = async (name: string | undefined) =>
      test.portal.database.pool.query(
        `update sales_units set name = $1 where organisation = 'partner/12345' and key = $2`,
        [name, msn],
      )
    for (const [name, inert] of Object.entries(formulas)) {
      await rename(name)
      const file = await download(kari, `${small}/sales-units.csv`)
      expect(tableOf(file).find((cells) => cells[1] === msn)?.[0]).toBe(inert)
      const sheet = await sheetOf(await download(kari, `${small}/sales-units.xlsx`))
      const cells = sheet.find((each) => each[1] === msn)
      expect(cells?.[0]).toBe(name)
    }
    const { bytes } = await download(kari, `${small}/sales-units.xlsx`)
    const { sheets } = await readXlsx(bytes)
    expect(JSON.stringify(sheets)).not.toContain('"formula"')
    await rename(unit?.body.name)
  })
})

describe('an Excel file', () => {
  it.each(['sales-units', 'product-orders', 'developers/webhooks', 'templates', 'price-packages'])(
    'of %s has the values of the CSV file, with dates and percentages as numbers',
    async (list) => {
      const csv = tableOf(await download(kari, `${small}/${list}.csv`))
      const file = await download(kari, `${small}/${list}.xlsx`)
      expect(file.headers['content-type']).toBe('application/vnd.openxmlformats-officedocument.spreadsheetml.sheet')
      const rows = await sheetOf(file)
      expect(rows.map((row) => row.map(asText))).toEqual(
        csv.map((row) =>
          row.map((cell) => cell.replace(/^'(?=[=+\-@\t\r])/, '').replace(/^(\d{4}-\d\d-\d\d)T.*/, '$1')),
        ),
      )
    },
  )
})

/** A cell as the CSV file has it. */
function asText(cell: unknown): string {
  if (cell instanceof Date) return cell.toISOString().slice(0, 10)
  return typeof cell === 'number' ? `${(cell * 100).toFixed(0)} %` : typeof cell === 'string' ? cell : ''
}

describe('a download', () => {
  it('is recorded in the audit log as an export', async () => {
    await download(kari, `${small}/templates.csv?q=a`)
    await expect
      .poll(async () => {
        const { rows } = await test.portal.database.pool.query(
          `select details from audit where event = 'export' and user_id = $1 and details->>'route' like '%templates.csv'`,
          [test.userId('Kari Nordmann')],
        )
        return rows
      })
      .toEqual(expect.arrayContaining([{ details: { route: '/partners/:partnerId/templates.csv' } }]))
    expect(test.log()).not.toContain('templates.csv?q=a"')
  })

  it('with an invalid query is answered with the 400 page', async () => {
    for (const query of ['q=%00', 'status=NO_SUCH', 'sort=x', 'page=0']) {
      const { status, headers } = await download(kari, `${small}/product-orders.csv?${query}`)
      expect([query, status, headers['content-type']]).toEqual([query, 400, 'text/html; charset=utf-8'])
      expect(headers['content-disposition']).toBeUndefined()
    }
  })

  it('requires the role of the list', async () => {
    const nora = await test.signedIn('Nora Lie')
    expect((await download(nora, `${small}/sales-units.csv`)).status).toBe(200)
    expect((await download(nora, `${small}/developers/webhooks.csv`)).status).toBe(403)
    expect((await download(nora, `${large}/sales-units.csv`)).status).toBe(404)
    expect((await download(test.browser(), `${small}/sales-units.csv`)).status).toBe(302)
  })

  it('is not created for a HEAD request', async () => {
    const { status, headers, bytes } = await download(kari, `${small}/sales-units.csv`, 'en', 'HEAD')
    expect([status, bytes.length]).toEqual([200, 0])
    expect(headers['content-disposition']).toContain('.csv')
  })

  it('runs twice at once for one user; further requests get 429', async () => {
    const downloads = await Promise.all(
      Array.from({ length: 12 }, async () => download(åse, `${large}/sales-units.xlsx`)),
    )
    const ofStatus = (wanted: number) => downloads.filter(({ status }) => status === wanted)
    expect(ofStatus(200).length).toBeGreaterThanOrEqual(2)
    expect(ofStatus(429).length).toBeGreaterThanOrEqual(1)
    expect(ofStatus(200).length + ofStatus(429).length).toBe(12)
    expect(ofStatus(429)[0]?.headers['retry-after']).toBe('10')
    expect((await download(åse, `${large}/developers/webhooks.csv`)).status).toBe(200)
  })

  it('is linked from the page of each list, with the current filter', async () => {
    for (const list of ['sales-units', 'product-orders', 'developers/webhooks', 'templates', 'price-packages']) {
      const page = await kari.open(`${small}/${list}?q=a`)
      const hrefs = page
        .$('main a[download]')
        .toArray()
        .map((link) => page.$(link).attr('href'))
      const more = list === 'product-orders' ? [`${small}/product-orders/reminders.csv?q=a`] : []
      expect(hrefs).toEqual([`${small}/${list}.xlsx?q=a`, `${small}/${list}.csv?q=a`, ...more])
    }
  })

  it('of reminders has each order of the list that waits, its link, and a text in the merchant’s language', async () => {
    const [headings = [], ...rows] = tableOf(await download(kari, `${small}/product-orders/reminders.csv`))
    const waiting = test.world.productOrders.filter(
      ({ partnerId, body }) =>
        partnerId === '12345' &&
        body.productOrderType === 'PREFILL' &&
        ['RECEIVED', 'MERCHANT_VIEWED'].includes(body.status),
    )
    const links = waiting.map(({ body }) => body.productOrderUrl)
    const at = headings.indexOf('Link for the merchant')
    expect(new Set(rows.map((row) => row[at]))).toEqual(new Set(links))
    expect(rows).toHaveLength(links.length)
    for (const row of rows) {
      const hello = { NO: 'Hei! Bestillingen «', DK: 'Hej! Bestillingen ”', FI: 'Hei! Tilaus on valmis' }
      const country = row[headings.indexOf('Scheme')]?.split(':')[1] as keyof typeof hello
      expect(row.at(-1)).toMatch(new RegExp(`^${hello[country]}.* \\d{4}:$`))
    }
    expect(tableOf(await download(kari, `${small}/product-orders/reminders.csv?status=COMPLETED`))).toHaveLength(1)
  })

  it('is linked from the page in any spelling of its address', async () => {
    for (const spelling of ['sales-units/', 'Sales-Units', 'SALES-UNITS/']) {
      const page = await kari.open(`${small}/${spelling}`)
      expect([spelling, page.$('main a[download]').attr('href')]).toEqual([spelling, `${small}/sales-units.xlsx`])
      expect([spelling, page.$('nav [aria-current="page"]').attr('href')]).toEqual([spelling, `${small}/sales-units`])
    }
  })
})
