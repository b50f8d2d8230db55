import Kernels
import Tensors
import Testing

/// The tests of products, convolution and attention on the instructions of older processors.
///
/// A level is a setting of the process, so each has one of its own.
@Suite struct VectorLevelTests {
  @Test(.enabled(if: VectorLevel.current > .avx2, "the processor's own level is tested anyway"))
  func kernelsAreRightWithAVX2() async {
    await #expect(processExitsWith: .success) { try Self.runKernelTests(at: .avx2) }
  }

  @Test(.enabled(if: VectorLevel.current > .baseline, "the processor's own level is tested anyway"))
  func kernelsAreRightAtTheBaseline() async {
    await #expect(processExitsWith: .success) { try Self.runKernelTests(at: .baseline) }
  }

  @Test func productsOfOpenBLASAreRight() async {
    await #expect(processExitsWith: .success) {
      ProductRates.forced = false
      try Self.runProductTests()
      #expect(!ProductRates.usesOwn)
    }
  }

  /// Everything that does not need bits which only our own kernels keep.
  private static func runProductTests() throws {
    let products = LinearProductTests()
    for isTransposed in [false, true] {
      try products.productsOfAllSizesAreRight(threads: 5, isTransposed: isTransposed)
    }
    for activation in LinearProduct.Activation.allCases {
      try products.everyPartRoundsAsItWouldAlone(activation: activation, threads: 2)
    }
    let terms = LinearProductTermsTests()
    for type in [DataType.float32, .float16, .bfloat16] {
      for precision in LinearProduct.Precision.allCases {
        try terms.theyHaveTheBitsOfProductsAlone(type: type, precision: precision)
      }
    }
    let multiplication = MatrixMultiplicationTests()
    for left in Layout.allCases {
      for right in Layout.allCases {
        try multiplication.everyPairOfLayoutsAndShapesGivesTheProduct(left: left, right: right)
      }
    }
    try multiplication.aThreadedProductIsRightAndTheSameTwice()
    for isTransposed in [false, true] {
      try multiplication.gemmScalesTransposesAndAdds(transposeA: isTransposed, transposeB: true)
    }
  }

  private static func runKernelTests(at level: VectorLevel) throws {
    VectorLevel.current = level
    #expect(VectorLevel.current == level)
    #expect(!LinearProduct.Precision.bfloat16.isSupported)
    ProductRates.forced = true
    try runProductTests()
    try LinearProductTests().anElementDoesNotDependOnItsNeighbours()
    let attention = AttentionTests()
    for test in AttentionTests.cases {
      try attention.attentionIsSoftmaxOfScoresTimesValues(test: test)
    }
    try attention.theOutputMayHaveHeadsInside()
    try attention.threadedAttentionIsRightAndTheSameTwice()
    let halves = HalfKernelTests()
    for type in HalfKernelTests.types {
      for isTransposed in [false, true] {
        try halves.productsAreThoseOfTheWidenedFactors(type: type, isTransposed: isTransposed)
      }
      try halves.manyRowsAreWidenedInParts(type: type)
      try halves.storedWeightsMayBeNarrowerThanRows(type: type)
      for keys in [7, 33, 700] {
        try halves.attentionIsThatOfTheWidenedOperands(type: type, keys: keys)
      }
    }
    let convolution = ConvolutionTests()
    for test in ConvolutionTests.cases {
      try convolution.everyGeometryAndLayoutGivesTheDirectSum(test: test)
    }
    try ParallelTests().everyFamilyGivesTheSameBitsTwiceForAThreadCount()
  }
}

@Suite struct ProductRatesTests {
  @Test func openBLASIsTakenWhereItIsClearlyFaster() {
    #expect(!ProductRates(own: 100, openBLAS: 114).prefersOpenBLAS)
    #expect(ProductRates(own: 100, openBLAS: 116).prefersOpenBLAS)
    #expect(!ProductRates(own: 100, openBLAS: 40).prefersOpenBLAS)
  }

  @Test func whatIsMeasuredDecidesUnlessSomebodyDoes() async {
    await #expect(processExitsWith: .success) {
      let rates = ProductRates.measured
      #expect(rates.own > 0 && rates.own < 10_000 && rates.openBLAS > 0)
      #expect(ProductRates.usesOwn == !rates.prefersOpenBLAS)
      for choice in [true, false] {
        ProductRates.forced = choice
        #expect(ProductRates.usesOwn == choice && ProductRates.forced == choice)
      }
      ProductRates.forced = nil
      #expect(ProductRates.forced == nil && !ProductRates.openBLASCore.isEmpty)
    }
  }

  @Test func openBLASComputesWhatItIsGiven() async {
    await #expect(processExitsWith: .success) {
      var numbers = Numbers(seed: 73)
      let (x, weight) = (try numbers.tensor([50, 1600]), try numbers.tensor([1600, 96]))
      let results = try [true, false].map { own in
        ProductRates.forced = own
        let (plain, linear) = (
          try Tensor.output(.float32, [50, 96]), try Tensor.output(.float32, [50, 96])
        )
        try MatrixMultiplication.multiply(x, weight, into: plain)
        try LinearProduct().run(x, weight, into: linear)
        expectEqualBits(plain, linear)
        return plain
      }
      // Both are right, and sum in another order.
      expect(results[0], near: 1e-4) { results[1].float($0) }
      #expect(results[0].elements(as: Float.self) != results[1].elements(as: Float.self))
    }
  }
}
