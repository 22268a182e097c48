// SPDX-License-Identifier: Apache-2.0

/// The stable codes of everything that can be wrong with a definition.
///
/// A code is never given a second meaning; one that is no longer used is not given out again.
public enum DiagnosticCode: String, CaseIterable, Sendable {
    // Files and encodings
    case encoding = "VRV001"
    case tooLarge = "VRV002"
    case yamlSyntax = "VRV003"
    case duplicateKey = "VRV004"
    case yamlFeature = "VRV005"
    case severalDocuments = "VRV006"
    case notAFile = "VRV007"
    case controlCharacter = "VRV008"
    case fileName = "VRV009"
    // Shape of image.yaml
    case unknownKey = "VRV010"
    case wrongType = "VRV011"
    case missingKey = "VRV012"
    case notSupported = "VRV013"
    case layerTwice = "VRV014"
    case severalFolders = "VRV015"
    case severalEnvironments = "VRV016"
    case folder = "VRV017"
    // Values of image.yaml
    case name = "VRV020"
    case duplicateName = "VRV021"
    case unknownWord = "VRV022"
    case owner = "VRV023"
    case base = "VRV024"
    case unknownBase = "VRV025"
    case baseCycle = "VRV026"
    case tag = "VRV027"
    case platform = "VRV028"
    case variable = "VRV029"
    case inputPattern = "VRV030"
    case inputWithoutMatch = "VRV031"
    case inputNotAFile = "VRV032"
    case bootstrap = "VRV033"
    case inputTree = "VRV034"
    // Scripts
    case scriptLineEnds = "VRV036"
    case startWithoutExec = "VRV037"
    case scriptEncoding = "VRV038"
    // apt
    case aptPackage = "VRV040"
    case aptPattern = "VRV041"
    case aptOption = "VRV042"
    // conda
    case condaFile = "VRV050"
    case matchSpec = "VRV051"
    case channel = "VRV052"
    case condaExplicit = "VRV053"
    case explicitList = "VRV054"
    case condaLock = "VRV055"
    case explicitPlatform = "VRV056"
    // pip
    case requirement = "VRV060"
    case pipOption = "VRV061"
    case pipOptionValue = "VRV062"
    case includeMissing = "VRV063"
    case includeCycle = "VRV064"
    case outsideRepository = "VRV065"
    case environmentVariable = "VRV066"
    case credentials = "VRV067"
    case localPath = "VRV068"
    case localArchive = "VRV069"
    case remoteInclude = "VRV070"
    // Hardware
    case gpuBase = "VRV080"
    case cpuBuild = "VRV090"
    // The repository as a whole
    case copyUnknown = "VRV091"
    case copyCycle = "VRV092"
    case copyBroken = "VRV093"
    case basePlatform = "VRV094"
    case lockedPlatform = "VRV095"
    case settingValue = "VRV190"
    // Bases that varve makes
    case bootstrapUser = "VRV120"
    case containerfile = "VRV121"
    case containerfileSyntax = "VRV122"
    case containerfileImage = "VRV123"
    case containerfileInput = "VRV124"
    case containerfileContext = "VRV125"
    // Images that are built elsewhere
    case externalReference = "VRV126"
    case externalConflict = "VRV127"
    case copyExternal = "VRV128"
    // runtime.txt
    case runtimeFile = "VRV071"
    // R
    case rPackage = "VRV081"
    case rVersion = "VRV082"
    case rTwoVersions = "VRV083"
    case rRemote = "VRV084"
    case rMirror = "VRV085"
    // What tools pass over or refuse
    case condaExtras = "VRV136"
    case pipIgnored = "VRV137"
    case runtimeImage = "VRV138"
    case hashMissing = "VRV139"
    case hashImpossible = "VRV140"
    case condarc = "VRV141"
    case condarcKey = "VRV142"
    // varve.yaml
    case fleetValue = "VRV151"
    case unknownGroup = "VRV152"
    case definitionsWithoutMatch = "VRV153"
    case operatorSetting = "VRV154"
    case baseNotAllowed = "VRV155"
    case ownerRequired = "VRV156"
}
