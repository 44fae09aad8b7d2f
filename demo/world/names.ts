import type { Market } from './types.ts'

/** The parts of the generated names and addresses of a market's merchants. */
export type NameParts = {
  owners: readonly string[]
  trades: readonly string[]
  legalForms: readonly string[]
  places: readonly (readonly [city: string, postCode: string])[]
  streets: readonly string[]
}

/** Short enough that owner, trade and place together fit the API's 50 characters. */
export const nameParts: Record<Market, NameParts> = {
  NO: {
    owners: ['Nordahl', 'Bjørk', 'Sørli', 'Ås', 'Kråkstad', 'Havn', 'Fjellro', 'Lykke', 'Torget', 'Gråbein'],
    trades: ['Bakeri', 'Kaffebar', 'Frisør', 'Sykkel', 'Blomster', 'Gatekjøkken', 'Bok & Papir', 'Fiskebutikk'],
    legalForms: ['AS', 'ANS', 'DA'],
    places: [
      ['Oslo', '0155'],
      ['Bergen', '5003'],
      ['Tromsø', '9008'],
      ['Ålesund', '6002'],
      ['Trondheim', '7011'],
      ['Bodø', '8006'],
      ['Gjøvik', '2815'],
      ['Mosjøen', '8656'],
    ],
    streets: ['Storgata', 'Kirkegata', 'Strandveien', 'Jernbanegata', 'Skolegata', 'Kaigata'],
  },
  DK: {
    owners: ['Søndergaard', 'Kjær', 'Østerbro', 'Nyhavn', 'Bøgh', 'Lærke', 'Mølle', 'Hygge', 'Ærø', 'Skov'],
    trades: ['Bageri', 'Kaffe', 'Cykler', 'Blomster', 'Smørrebrød', 'Frisør', 'Vinbar', 'Is & Vafler'],
    legalForms: ['ApS', 'A/S', 'I/S'],
    places: [
      ['København', '1050'],
      ['Aarhus', '8000'],
      ['Odense', '5000'],
      ['Aalborg', '9000'],
      ['Helsingør', '3000'],
      ['Sønderborg', '6400'],
    ],
    streets: ['Nørregade', 'Algade', 'Østergade', 'Havnegade', 'Vestergade'],
  },
  FI: {
    owners: ['Mäkelä', 'Järvinen', 'Koivu', 'Tähti', 'Hämäläinen', 'Lumi', 'Metsä', 'Pöllö', 'Satama', 'Kesä'],
    trades: ['Leipomo', 'Kahvila', 'Parturi', 'Pyörä', 'Kukka', 'Kioski', 'Sauna', 'Kala & Mäti'],
    legalForms: ['Oy', 'Ky', 'Tmi'],
    places: [
      ['Helsinki', '00100'],
      ['Tampere', '33100'],
      ['Turku', '20100'],
      ['Jyväskylä', '40100'],
      ['Hämeenlinna', '13100'],
      ['Oulu', '90100'],
    ],
    streets: ['Hämeenkatu', 'Kauppakatu', 'Rantatie', 'Asemakatu', 'Koulukatu'],
  },
}
