/** Words whose dot ends no sentence, by language; lower case, without the dot at their end. */
export interface Abbreviations {
  /** Something always follows: titles, for example. */
  readonly never: ReadonlySet<string>;
  /** They may end a sentence, where the next word can only begin one. */
  readonly rarely: ReadonlySet<string>;
  /** Only before a number: No. 5, but not No. */
  readonly beforeNumber: ReadonlySet<string>;
  /** Words that begin sentences, and in upper case hardly stand elsewhere. */
  readonly starters: ReadonlySet<string>;
}

const TABLE: Readonly<Record<string, Readonly<Record<keyof Abbreviations, string>>>> = {
  en: {
    never: `mr mrs ms mx dr prof rev hon gen sen rep gov pres lt col maj sgt capt cmdr adm messrs supt mt ft
      vs cf viz approx e.g i.e ca resp incl excl dept univ assn bldg`,
    rarely: `inc ltd co corp bros llc jr sr st ave blvd rd etc al jan feb mar apr jun jul aug sep sept oct nov
      dec est min max avg`,
    beforeNumber: 'no nos fig figs p pp vol ch sec art op eq para tel ext ver v',
    starters: `the he she it we they i you this that these those there here but and so then or if as when where
      what why who how which my our your his her their its yes no not now after before because however also
      in on at for from with by well okay ok let please can could would will do does did is are was were
      a an all some many most everyone nobody thank thanks today tomorrow yesterday`,
  },
  de: {
    never: `hr hrn fr frl dipl ing dr prof bzw evtl ggf inkl exkl vgl z.b d.h u.a z.t o.ä i.d.r s.o s.u abs geb
      gest sog str st mio mrd max min zzgl jh`,
    rarely: 'usw etc jan feb mär apr jun jul aug sept okt nov dez',
    beforeNumber: 'nr nrn art bd kap s tel abb',
    starters: `der die das er sie es wir ich ihr und aber dann so da wenn wie was wo warum wer ja nein ein eine
      im in am auf mit nach vor bei für von zu also doch jetzt heute danach diese dieser dieses`,
  },
  fr: {
    never: 'm mm mme mmes mlle dr pr me mgr st ste cf env av boul ex chap',
    rarely: 'etc janv févr avr juil sept oct nov déc',
    beforeNumber: 'no nos n art p pp vol fig tél',
    starters: `le la les il elle nous vous ils elles je tu on ce cela ça c'est et mais donc alors un une des dans
      en pour avec oui non puis après`,
  },
  es: {
    never:
      'sr sra sres srta dr dra d dña ud uds vd vds prof lic ing excmo ilmo gral p.ej aprox avda av',
    rarely: 'etc ene feb abr jun jul ago sept oct nov dic',
    beforeNumber: 'núm n.º art pág págs vol fig tel',
    starters: `el la los las él ella ellos yo tú nosotros usted pero y entonces un una en con por para sí no
      después además esto eso`,
  },
  it: {
    never: 'sig sigg sig.ra dott dott.ssa prof prof.ssa ing avv geom on arch rag spett egr gent ca',
    rarely: 'ecc gen feb mar apr mag giu lug ago set ott nov dic',
    beforeNumber: 'n art pag pagg vol fig tel',
    starters: `il lo la i gli le un una io tu lui lei noi voi loro ma e poi quindi allora in con per sì no
      questo quello`,
  },
  pt: {
    never: 'sr sra srs dr dra prof profa eng exmo exma av aprox',
    rarely: 'etc jan fev mar abr jun jul ago set out nov dez',
    beforeNumber: 'núm n.º art pág págs vol fig tel',
    starters: `o a os as ele ela eles eu nós você mas e então um uma em com por para sim não depois isso isto`,
  },
  nl: {
    never:
      'dhr mevr mw dr drs prof ir ing mr bijv nl o.a m.a.w d.w.z i.p.v t.o.v ca max min incl excl',
    rarely: 'enz etc jan feb mrt apr jun jul aug sept okt nov dec',
    beforeNumber: 'nr nrs art blz p hst fig tel',
    starters: `de het een hij zij ze wij we ik jij je u dit dat en maar dus dan als in op met voor van ja nee`,
  },
  pl: {
    never: 'dr hab prof inż mgr np tzn tzw tj m.in ul al pl św ks im ok ur zm',
    rarely: 'itd itp r w godz tys mln mld zł',
    beforeNumber: 'nr art str s ust pkt tel',
    starters: `to ten ta on ona my wy oni ja ty ale i a więc potem jeśli gdy tak nie w na z po`,
  },
  ru: {
    never: 'г гг ул пр д кв им проф акад т.е т.к т.н напр см ср обл р-н',
    rarely: 'др пр т.д т.п руб коп тыс млн млрд янв февр апр авг сент окт нояб дек',
    beforeNumber: 'стр с рис табл ст п гл тел',
    starters: `он она оно мы вы они я ты это этот эта но и а в на по с из да нет потом если когда`,
  },
  cs: {
    never: 'dr ing mgr bc prof doc např tj tzv mj p pí ul nám sv',
    rarely: 'atd apod aj tis mil mld',
    beforeNumber: 'č čís str odst kap tel',
    starters: 'to ten ta on ona my vy oni já ale a pak když ano ne v na',
  },
  sv: {
    never: 't.ex bl.a dr prof ca s.k d.v.s p.g.a fr.o.m t.o.m',
    rarely: 'osv m.fl m.m etc',
    beforeNumber: 'nr s kap kl tel',
    starters: 'det den de han hon vi ni jag du men och så då om ja nej i på',
  },
  da: {
    never: 'f.eks bl.a dr prof ca hr fr dvs pga jf',
    rarely: 'osv mv m.m etc',
    beforeNumber: 'nr s kap kl tlf',
    starters: 'det den de han hun vi jeg du men og så da hvis ja nej i på',
  },
  fi: {
    never: 'esim mm prof tri ks n',
    rarely: 'ym jne yms',
    beforeNumber: 'nro s klo puh',
    starters: 'se hän me te he minä sinä mutta ja sitten jos kun kyllä ei',
  },
  tr: {
    never: 'dr prof doç sn av',
    rarely: 'vb vs vd',
    beforeNumber: 'no s md tel',
    starters: 'o bu şu ben sen biz siz onlar ama ve sonra eğer evet hayır',
  },
};

const setOf = (words: string): ReadonlySet<string> => new Set(words.trim().split(/\s+/));
const union = (key: keyof Abbreviations, languages: readonly string[]): ReadonlySet<string> =>
  new Set(languages.flatMap((language) => [...setOf(TABLE[language]?.[key] ?? '')]));

/** Norwegian writes as Danish does here; Slovak as Czech; English ones are met in every language. */
const SAME_AS: Readonly<Record<string, string>> = { no: 'da', nn: 'da', nb: 'da', sk: 'cs' };

const known = new Map<string, Abbreviations>();

/** Those of a language, English ones among them; of all languages where it is not known. */
export function abbreviationsOf(language: string | undefined): Abbreviations {
  const key = language ?? '';
  const found = known.get(key);
  if (found) return found;
  const languages =
    language === undefined ? Object.keys(TABLE) : ['en', SAME_AS[language] ?? language];
  const abbreviations: Abbreviations = {
    never: union('never', languages),
    rarely: union('rarely', languages),
    beforeNumber: union('beforeNumber', languages),
    starters: union('starters', languages),
  };
  known.set(key, abbreviations);
  return abbreviations;
}
