// What synthetic participants and specimens are described by: clinical components, organs, and the attributes of each.

/**
 * An attribute of a component: its column, and what its cells may hold: alternatives between bars, or whole numbers from a range.
 * The names are those of the HTAN data model; the values are made up.
 */
export type Attribute = readonly [column: string, values: string | readonly [number, number]];

const YES_NO = "Yes|No";
const METHODS = "Surgical Resection|Core needle biopsy|Blood draw|Fine needle aspirate|Excision";

/** Clinical components that most atlases have, with the share of participants that have a record and how many it may be. */
export const CLINICAL: readonly {
  readonly component: string;
  readonly share: number;
  readonly most: number;
  readonly attributes: readonly Attribute[];
}[] = [
  {
    component: "Demographics",
    share: 1,
    most: 1,
    attributes: [
      ["Ethnicity", "not hispanic or latino|hispanic or latino"],
      ["Gender", "female|male"],
      ["Race", "white|asian|black or african american|american indian or alaska native|other"],
      ["Vital Status", "Alive|Alive|Alive|Dead"],
      ["Days to Birth", [-31000, -9000]],
      ["Country of Residence", "United States|Canada|Korea, Republic of|Côte d’Ivoire|Mexico"],
      ["Age Is Obfuscated", "true|false"],
      ["Year Of Birth", [1938, 1999]],
      ["Occupation Duration Years", [0, 45]],
      ["Premature At Birth", YES_NO],
      ["Weeks Gestation at Birth", [28, 42]],
      ["Cause of Death", "Cancer Related|Cardiovascular Disorder, NOS|Infection"],
      ["Days to Death", [200, 9000]],
    ],
  },
  {
    component: "Exposure",
    share: 0.8,
    most: 1,
    attributes: [
      ["Start Days from Index", [0, 400]],
      ["Smoking Exposure", YES_NO],
      ["Alcohol Exposure", YES_NO],
      ["Asbestos Exposure", YES_NO],
      ["Coal Dust Exposure", YES_NO],
      ["Environmental Tobacco Smoke Exposure", YES_NO],
      ["Radon Exposure", YES_NO],
      ["Pack Years Smoked", [1, 60]],
      ["Years Smoked", [1, 50]],
      ["Tobacco Smoking Status", "1|2|3|4|5"],
      ["Alcohol Intensity", "Social Drinker|Occasional Drinker|Drinker|Lifelong Non-Drinker"],
    ],
  },
  {
    component: "FamilyHistory",
    share: 0.7,
    most: 2,
    attributes: [
      ["Family History of Cancer", YES_NO],
      ["Relative with Cancer History", YES_NO],
      ["Relationship Type", "Mother|Father|Sibling|Grandparent, maternal|Grandparent, paternal"],
      ["Relationship Gender", "female|male"],
      ["Relationship Age at Diagnosis", [9000, 31000]],
      ["Relationship Primary Diagnosis", "Breast Cancer|Lung Cancer|Colorectal Cancer|Melanoma"],
      ["Relatives with Cancer History Count", [0, 5]],
    ],
  },
  {
    component: "Diagnosis",
    share: 0.95,
    most: 1,
    attributes: [
      ["Age at Diagnosis", [9000, 31000]],
      ["Year of Diagnosis", [2009, 2025]],
      ["Primary Diagnosis", "@diagnosis"],
      ["Site of Resection or Biopsy", "@site"],
      ["Tissue or Organ of Origin", "@site"],
      ["Morphology", "8140/3|8500/2|8070/3|8720/3|9836/3"],
      ["Tumor Grade", "G1|G2|G3|GX"],
      ["AJCC Pathologic Stage", "Stage I|Stage IIA|Stage IIB|Stage III|Stage IV"],
      ["Progression or Recurrence", "no|yes|Yes - Progression or Recurrence"],
      ["Last Known Disease Status", "Tumor free|With tumor|Distant met recurrence/progression"],
      ["Days to Last Follow up", [100, 6000]],
      ["Method of Diagnosis", "Biopsy|Imaging|Cytology|Laparotomy"],
      ["Prior Malignancy", "no|yes"],
      ["Prior Treatment", YES_NO],
    ],
  },
  {
    component: "FollowUp",
    share: 0.75,
    most: 3,
    attributes: [
      ["Days to Follow Up", [100, 6000]],
      ["Adverse Event", "Anemia|Fatigue|Nausea|Neutrophil count decreased|Peripheral neuropathy"],
      ["BMI", [17, 41]],
      ["Comorbidity", "Hypertension|Diabetes, type II|Asthma|Hepatitis B Infection"],
      ["Disease Response", "CR-Complete Response|PR-Partial Response|SD-Stable Disease"],
      ["ECOG Performance Status", "0|1|2|3"],
      ["Progression or Recurrence", "no|yes"],
    ],
  },
  {
    component: "Therapy",
    share: 0.8,
    most: 4,
    attributes: [
      ["Therapeutic Agents", "Paclitaxel|Cisplatin|Doxorubicin, liposomal|Nivolumab|Tamoxifen"],
      ["Treatment Intent Type", "Adjuvant|Neoadjuvant|Palliative|Cure"],
      ["Treatment Outcome", "Complete Response|Partial Response|Stable Disease|Unknown"],
      ["Regimen or Line of Therapy", "First line|Second line|Third line"],
      ["Number of Cycles", [1, 12]],
    ],
  },
  {
    component: "MolecularTest",
    share: 0.6,
    most: 3,
    attributes: [
      ["Timepoint Label", "Baseline|On treatment|Progression"],
      ["Start Days from Index", [0, 900]],
      ["Gene Symbol", "TP53|KRAS|BRCA1|EGFR|APC|PTEN|MYCN"],
      ["Molecular Analysis Method", "Targeted Sequencing|IHC|FISH|RNA Sequencing"],
      ["Test Result", "Positive|Negative|Low|High|Equivocal"],
      ["Variant Type", "Missense|Nonsense|Frameshift, deletion|Splice"],
      ["Test Value", [1, 100]],
    ],
  },
  {
    component: "ClinicalDataTier2",
    share: 0.65,
    most: 1,
    attributes: [
      ["Education Level", "High School Graduate|Some College|College Graduate|Professional"],
      ["Country of Birth", "United States|Canada|Mexico|Viet Nam"],
      ["Medically Underserved Area", YES_NO],
      ["Rural vs Urban", "Urban|Rural|Suburban"],
      ["Cancer Incidence", "Elevated|Average"],
      ["Cancer Incidence Location", "Northern region|Coastal region|Inland region"],
    ],
  },
];

/** The organ that an atlas is about. `tier3` is the clinical component of its own that the organ has. */
export interface Organ {
  readonly tier3: string;
  readonly sites: string;
  readonly diagnoses: string;
  readonly attributes: readonly Attribute[];
}

/** Organs by name. */
export const ORGANS = {
  breast: {
    tier3: "BreastCancerTier3",
    sites: "Breast NOS|Upper-outer quadrant of breast|Axillary tail of breast",
    diagnoses: "Ductal carcinoma in situ, NOS|Infiltrating duct carcinoma|Lobular carcinoma, NOS",
    attributes: [
      ["Breast Carcinoma Detection Method Type", "Screening mammogram|Palpation|Ultrasound"],
      ["Breast Carcinoma Estrogen Receptor Status", "Positive|Negative"],
      ["Breast Carcinoma Progesterone Receptor Status", "Positive|Negative"],
      ["HER2 Breast Carcinoma Status", "0|1+|2+|3+"],
      ["Multifocal Breast Carcinoma Present Indicator", YES_NO],
    ],
  },
  colon: {
    tier3: "ColorectalCancerTier3",
    sites: "Colon NOS|Ascending colon|Sigmoid colon|Rectum NOS",
    diagnoses: "Adenocarcinoma, NOS|Tubular adenoma, NOS|Sessile serrated adenoma",
    attributes: [
      ["Colorectal Cancer Tumor Border Configuration", "Infiltrative|Pushing"],
      ["MLH1 Promoter Methylation Status", "Positive|Negative"],
      ["Colon Polyp Occurence Indicator", YES_NO],
      ["Size of Polyp Removed", [2, 45]],
      ["Family Colon Cancer History Indicator", YES_NO],
    ],
  },
  lung: {
    tier3: "LungCancerTier3",
    sites: "Upper lobe lung|Lower lobe lung|Lung NOS|Pleura NOS",
    diagnoses: "Adenocarcinoma in situ, NOS|Squamous cell carcinoma, NOS|Small cell carcinoma, NOS",
    attributes: [
      ["Lung Cancer Detection Method Type", "Low-dose CT|Incidental|Symptoms"],
      ["Lung Cancer Participant Procedure History", "Bronchoscopy|Thoracentesis|None"],
      ["Lung Adjacent Histology Type", "Emphysema|Fibrosis|Normal"],
      ["Lung Tumor Location Anatomic Site", "Peripheral|Central"],
      ["Lung Cancer Smoking Cessation Days", [0, 9000]],
    ],
  },
  brain: {
    tier3: "NeuroblastomaandGliomaTier3",
    sites: "Adrenal gland NOS|Cerebrum|Brain stem|Retroperitoneum",
    diagnoses: "Neuroblastoma, NOS|Glioblastoma|Astrocytoma, anaplastic",
    attributes: [
      ["CNS Tumor Primary Anatomic Site", "Frontal lobe|Temporal lobe|Cerebellum"],
      ["Glioma Specific Metastasis Sites", "None|Spinal cord|Bone marrow"],
      ["Neuroblastoma MYCN Gene Amplification Status", "Amplified|Not Amplified"],
      ["Supratentorial Ependymoma Molecular Subgroup", "RELA|YAP1"],
    ],
  },
  skin: {
    tier3: "MelanomaTier3",
    sites: "Skin of trunk|Skin of scalp and neck|Lymph node, NOS",
    diagnoses: "Malignant melanoma, NOS|Superficial spreading melanoma|Nodular melanoma",
    attributes: [
      ["Melanoma Lesion Size", [1, 60]],
      ["Cutaneous Melanoma Ulceration", YES_NO],
      ["Cutaneous Melanoma Tumor Infiltrating Lymphocytes", "Brisk|Non-brisk|Absent"],
      ["Melanoma Biopsy Resection Sites", "Primary|Regional|Distant"],
    ],
  },
  pancreas: {
    tier3: "PancreaticCancerTier3",
    sites: "Head of pancreas|Body of pancreas|Tail of pancreas|Liver",
    diagnoses: "Pancreatic intraepithelial neoplasia|Ductal adenocarcinoma|Cystadenoma, mucinous",
    attributes: [
      ["Pancreatic Duct Dilation", YES_NO],
      ["Pancreatitis Onset Year", [1990, 2024]],
      ["CA19-9 Level Trend", "<37 U/mL & stable|>37 U/mL, rising|falling"],
      ["Pancreatic Cyst Type", "IPMN|MCN|SCN"],
    ],
  },
  blood: {
    tier3: "AcuteLymphoblasticLeukemiaTier3",
    sites: "Bone marrow|Blood",
    diagnoses: "B lymphoblastic leukemia, NOS|T lymphoblastic leukemia|Mixed phenotype leukemia",
    attributes: [
      ["CNS Leukemia Status", "CNS1|CNS2a|CNS3"],
      ["Off Treatment", YES_NO],
      ["Minimal Residual Disease Percent", [0, 12]],
      ["Peripheral Blasts Percentage by Morphology", [0, 99]],
    ],
  },
  ovary: {
    tier3: "OvarianCancerTier3",
    sites: "Ovary|Fallopian tube|Pelvis NOS|Peritoneum, NOS",
    diagnoses: "High-grade serous carcinoma|Serous tubal intraepithelial carcinoma|Clear cell",
    attributes: [
      ["Ovarian Cancer Histologic Subtype", "Serous|Clear cell|Endometrioid"],
      ["Ovarian Cancer Surgical Outcome", "Optimal|Suboptimal|Complete"],
      ["Ovarian Cancer Platinum Status", "Sensitive|Resistant|Refractory"],
      ["Days to CA-125 Peak", [0, 700]],
    ],
  },
  prostate: {
    tier3: "ProstateCancerTier3",
    sites: "Prostate gland|Bladder NOS|Lymph node, NOS",
    diagnoses: "Acinar cell carcinoma|Prostatic intraepithelial neoplasia",
    attributes: [
      ["Prostate Cancer Gleason Grade", "3+3|3+4|4+3|4+4"],
      ["PSA at Diagnosis", [1, 90]],
      ["Prostate Cancer Biopsy Cores Positive", [1, 12]],
    ],
  },
} as const satisfies Record<string, Organ>;

/** The organs' names. */
export type OrganName = keyof typeof ORGANS;

/** Attributes of a specimen after those that lay down its place in the lineage. */
export const SPECIMEN: readonly Attribute[] = [
  ["Biospecimen Type", "Tissue Biospecimen Type|Blood Biospecimen Type|Fluids Biospecimen Type"],
  ["Fixative Type", "Formalin|None|OCT|Ethanol"],
  ["Preservation Method", "FFPE|Cryopreserved|Fresh|OCT embedded"],
  ["Specimen Laterality", "Left|Right|Not Applicable"],
  ["Tumor Tissue Type", "Primary|Premalignant|Normal adjacent|Metastatic"],
  ["Percent Tumor Nuclei", [5, 95]],
  ["Ischemic Time", [100, 4000]],
  ["Storage Method", "Minus 80 C|Liquid nitrogen|Ambient temperature"],
  ["Mounted Panel Description", 'panel "A", 36 markers|panel "B", 24 markers'],
];
/** How specimens are taken. */
export const ACQUISITION: readonly string[] = METHODS.split("|");

/** Treatments of the timelines. */
export const TREATMENTS: readonly string[] = [
  "Chemotherapy",
  "Radiation Therapy, NOS",
  "Immunotherapy (Including Vaccines)",
  "Targeted Molecular Therapy",
  "Hormone Therapy",
  "Not Reported",
];

/** What people write where there is nothing to say; each counts as missing. */
export const MISSING: readonly string[] = [
  "",
  "",
  "",
  "Not Reported",
  "not reported",
  "unknown",
  "Not Applicable",
  "NA",
];
